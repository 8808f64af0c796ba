"""Who reaches which service, for people and for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from iptlint.model import IP_VERSIONS
from iptlint.packets.describe.lists import few
from iptlint.policy.access import Access
from iptlint.policy.matrix import Cell, CellPart, Matrix
from iptlint.reports import markup
from iptlint.reports.csv_report import cell as csv_cell
from iptlint.reports.json_report import VERSION, dumps
from iptlint.reports.safe import visible, width, wrapped

_NOTHING = "-"
_WIDEST_ZONE = 30
_MOST_HOSTS = 4
_GAP = "  "
_TOLD = (Access.SOME, Access.LIMITED)
"""Of these it is said which packets they are; of all, that is nothing new."""


def word(cell: Cell) -> str:
    """``yes``, ``some``, ``yes v4`` where there is none over IPv6, ``differs``."""
    if not cell.parts:
        return _NOTHING
    accesses = {part.access for part in cell.parts}
    if len(accesses) == 1:
        return accesses.pop().value
    by_family = _by_family(cell)
    if any(len(several) > 1 for several in by_family.values()):
        return "differs"
    open_ = {family: each for family, (each,) in by_family.items() if each is not Access.NO}
    if len(open_) == 1:
        ((family, each),) = open_.items()
        return f"{each.value} {family}"
    return " ".join(f"{family} {each.value}" for family, each in open_.items())


def _by_family(cell: Cell) -> dict[str, set[Access]]:
    families: dict[str, set[Access]] = {}
    for part in cell.parts:
        families.setdefault(IP_VERSIONS[part.family].removeprefix("IP"), set()).add(part.access)
    return families


def details(cell: Cell, hosts: int) -> str:
    """Which packets they are, by host and family; empty where the word says it all."""
    says_which = any(part.which and part.access in _TOLD for part in cell.parts)
    by_host = {host: _by_version([*parts]) for host, parts in groupby(cell.parts, _host)}
    if not says_which and len({*by_host.values()}) < 2:
        return ""
    if hosts == 1:
        return "; ".join(by_host.values())
    alike: dict[str, list[str]] = {}
    for host, said in by_host.items():
        alike.setdefault(said, []).append(host)
    return "; ".join(f"{few(several, _MOST_HOSTS)}: {said}" for said, several in alike.items())


def _host(part: CellPart) -> str:
    return part.host


def _by_version(parts: Sequence[CellPart]) -> str:
    """``IPv4: some, from 10.0.0.0/8; IPv6: no``; without the families where they are alike."""
    alike: dict[str, list[str]] = {}
    for part in parts:
        alike.setdefault(_says(part), []).append(IP_VERSIONS[part.family])
    if len(alike) == 1 and len(parts) > 1:
        return next(iter(alike))
    return "; ".join(f"{' and '.join(several)}: {said}" for said, several in alike.items())


def _says(part: CellPart) -> str:
    which = f", {part.which}" if part.which and part.access in _TOLD else ""
    return f"{part.access.value}{which}"


# -- text -------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Notes:
    """Each once, by its number."""

    numbers: dict[str, int] = field(default_factory=dict)

    def mark(self, text: str) -> str:
        if not text:
            return ""
        number = self.numbers.setdefault(text, len(self.numbers) + 1)
        return f" [{number}]"


def matrix_text(matrix: Matrix, columns: int = 80) -> str:
    """Tables beneath each other where one would be wider than that."""
    notes = _Notes()
    zones = [_short(visible(row.zone.name), _WIDEST_ZONE) for row in matrix.rows]
    cells = [
        [word(cell) + notes.mark(details(cell, len(matrix.hosts))) for cell in row.cells]
        for row in matrix.rows
    ]
    heads = [visible(service.name) for service in matrix.services]
    lines = [f"to {visible(matrix.target)}"]
    for block in _blocks(heads, cells, columns - max(map(width, zones), default=0)):
        lines += ["", *_table(zones, heads, cells, block)]
    if notes.numbers:
        lines.append("")
    for text, number in notes.numbers.items():
        lines += wrapped(f"[{number}] {text}", columns, "    ")
    for note in matrix.notes:
        lines += ["", *wrapped(note, columns)]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _blocks(heads: Sequence[str], cells: Sequence[Sequence[str]], room: int) -> Iterator[list[int]]:
    """The numbers of the columns that fit beside each other."""
    block: list[int] = []
    left = room
    for number in range(len(heads)):
        needed = _width(heads, cells, number) + len(_GAP)
        if block and needed > left:
            yield block
            block, left = [], room
        block.append(number)
        left -= needed
    if block:
        yield block


def _width(heads: Sequence[str], cells: Sequence[Sequence[str]], number: int) -> int:
    return max(width(heads[number]), *(width(row[number]) for row in cells), 1)


def _table(
    zones: Sequence[str],
    heads: Sequence[str],
    cells: Sequence[Sequence[str]],
    block: Sequence[int],
) -> Iterator[str]:
    first = max(map(width, zones), default=0)
    for name, row in (("", heads), *zip(zones, cells, strict=True)):
        shown = [_padded(row[n], _width(heads, cells, n)) for n in block]
        yield _GAP.join([_padded(name, first), *shown])


def _padded(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))


# -- for programs, forges and spreadsheets ----------------------------------------------------


def matrix_json(matrix: Matrix) -> str:
    return dumps(
        {
            "version": VERSION,
            "target": matrix.target,
            "hosts": [*matrix.hosts],
            "families": [family.value for family in matrix.families],
            "services": [
                {"name": each.name, "parts": [part.text for part in each.parts]}
                for each in matrix.services
            ],
            "rows": [
                {
                    "zone": row.zone.name,
                    "networks": [*map(str, row.zone.networks)],
                    "interfaces": [*row.zone.interfaces],
                    "cells": [_cell_json(cell) for cell in row.cells],
                }
                for row in matrix.rows
            ],
            "notes": [*matrix.notes],
        }
    )


def _cell_json(cell: Cell) -> dict[str, object]:
    """In the order of the services."""
    return {
        "access": cell.access.value if cell.access else None,
        "differs": cell.differs,
        "parts": [
            {
                "host": part.host,
                "family": part.family.value,
                "access": part.access.value,
                "which": part.which or None,
            }
            for part in cell.parts
        ],
    }


def full(cell: Cell, matrix: Matrix) -> str:
    """The word, with what is behind it."""
    sentences = details(cell, len(matrix.hosts))
    said = word(cell)
    return f"{said} ({sentences})" if sentences else said


def matrix_csv(matrix: Matrix) -> str:
    """A row a zone; a cell that would be a formula begins with an apostrophe."""
    written = io.StringIO()
    table = csv.writer(written, quoting=csv.QUOTE_ALL)
    heads = ["zone", *(service.name for service in matrix.services)]
    table.writerow([csv_cell(head) for head in heads])
    for row in matrix.rows:
        cells = [full(cell, matrix) for cell in row.cells]
        table.writerow([csv_cell(text) for text in (row.zone.name, *cells)])
    return written.getvalue()


def matrix_markdown(matrix: Matrix) -> str:
    """A table, and what it leaves out below it."""
    heads = ["to " + matrix.target, *(service.name for service in matrix.services)]
    lines = [_row(heads), _row(["---"] * len(heads), plain=True)]
    lines += (
        _row([row.zone.name, *(full(cell, matrix) for cell in row.cells)]) for row in matrix.rows
    )
    lines += ["", *(markup.text(note) for note in matrix.notes)] if matrix.notes else []
    return "".join(f"{line}\n" for line in lines)


def _row(texts: Sequence[str], *, plain: bool = False) -> str:
    return f"| {' | '.join(texts if plain else map(markup.text, texts))} |"
