"""``path --matrix``: a row for each service, a column for each layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tabulate import tabulate

from iptlint.analysis.cloud_matrix import Cell, ServicePorts, ServiceRow
from iptlint.analysis.cloud_path import CloudPath
from iptlint.model.protocols import PROTOCOL_NAMES
from iptlint.packets.describe import clause
from iptlint.reports.json_report import VERSION, dumps
from iptlint.reports.path import question_text, wrapped
from iptlint.reports.safe import visible

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

EVERYBODY, NOBODY = "all", "nobody"
NOT_GIVEN = "not given"
_KINDS = {EVERYBODY: "yes", NOBODY: "no", NOT_GIVEN: ""}
_WIDTH = 18


class PathMatrix(NamedTuple):
    path: CloudPath
    rows: tuple[ServiceRow, ...]


def matrix_text(matrices: Sequence[PathMatrix]) -> str:
    return "\n".join("".join(f"{visible(line)}\n" for line in _lines(each)) for each in matrices)


def _lines(matrix: PathMatrix) -> Iterator[str]:
    path, rows = matrix
    yield question_text(path.question)
    yield ""
    if not rows:
        yield "no layer names a service"
        return
    shown = services(matrix)
    table = [[name, *(cell.word for cell in cells)] for name, cells in shown.rows]
    widths = [None, *([_WIDTH] * (len(shown.heads) - 1))]
    text = tabulate(table, shown.heads, "simple", disable_numparse=True, maxcolwidths=widths)
    yield from text.split("\n")
    yield from (line for note in path.notes for line in wrapped(f"note: {note}"))


class Shown(NamedTuple):
    """``kind``: whether all get there, none, or some."""

    word: str
    kind: str


class Services(NamedTuple):
    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Shown, ...]], ...]


def services(matrix: PathMatrix) -> Services:
    """The table: a row for each service, with its name."""
    path, rows = matrix
    if not rows:
        return Services((), ())
    heads = ("service", *(cell.kind.value for cell in rows[0].cells), "gets through")
    return Services(heads, tuple((_service(row.service), _shown(path, row)) for row in rows))


def _shown(path: CloudPath, row: ServiceRow) -> tuple[Shown, ...]:
    words = (*(_cell(path, row, cell) for cell in row.cells), _through(path, row))
    return tuple(Shown(word, _KINDS.get(word, "some")) for word in words)


def _service(service: ServicePorts) -> str:
    """``tcp 443``, ``udp 60000-61000``, ``icmp echo``."""
    name = PROTOCOL_NAMES.get(service.protocol, str(service.protocol))
    if service.ports is None:
        return f"{name} echo"
    low, high = service.ports
    return f"{name} {low}" if low == high else f"{name} {low}-{high}"


def _cell(path: CloudPath, row: ServiceRow, cell: Cell) -> str:
    return _who(path, row.asked, cell.may, cell.sure) if cell.given else NOT_GIVEN


def _through(path: CloudPath, row: ServiceRow) -> str:
    return _who(path, row.asked, row.may, row.sure)


def _who(path: CloudPath, asked: PacketSet, may: PacketSet, sure: PacketSet) -> str:
    if may == sure:
        return _clients(path, asked, sure)
    if not sure.satisfiable():
        return f"perhaps {_clients(path, asked, may)}"
    return f"{_clients(path, asked, sure)}; perhaps {_clients(path, asked, may & ~sure)}"


def _clients(path: CloudPath, asked: PacketSet, packets: PacketSet) -> str:
    if not packets.satisfiable():
        return NOBODY
    if packets == asked:
        return EVERYBODY
    text = clause(path.space, packets, asked)
    return text if text.startswith("from port") else text.removeprefix("from ")


def matrix_json(matrices: Sequence[PathMatrix]) -> str:
    return dumps({"version": VERSION, "matrices": [_matrix(each) for each in matrices]})


def _matrix(matrix: PathMatrix) -> dict[str, object]:
    path, rows = matrix
    question = path.question
    return {
        "family": question.family.value,
        "instance": question.interface.instance,
        "interface": question.interface.id,
        "address": str(question.own),
        "services": [
            {
                "protocol": PROTOCOL_NAMES.get(row.service.protocol, str(row.service.protocol)),
                "ports": list(row.service.ports) if row.service.ports else None,
                "layers": [
                    {"layer": cell.kind.name.lower(), "who": _cell(path, row, cell)}
                    for cell in row.cells
                ],
                "gets_through": _through(path, row),
            }
            for row in rows
        ],
        "notes": [*path.notes],
    }
