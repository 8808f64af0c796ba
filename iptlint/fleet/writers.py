"""A fleet's table in each format. A row is written as soon as it is known, the summary last."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any, Protocol

from iptlint.fleet import table
from iptlint.fleet.rows import Row
from iptlint.fleet.summary import ACCESSES, Summary
from iptlint.fleet.table import AskedColumns, closing, gone, kinds, notes
from iptlint.reports import markup
from iptlint.reports.csv_report import cell
from iptlint.reports.json_report import VERSION
from iptlint.reports.safe import cut, visible, width, wrapped

COLUMNS = 80
_NAME = 25


class Writer(Protocol):
    """Pieces of text, to be written one after the other."""

    def begin(self) -> str:
        """What stands before the first row."""

    def row(self, row: Row) -> str:
        """A host."""

    def end(self, summary: Summary) -> Iterator[str]:
        """What stands behind the last row."""


@dataclass(frozen=True, slots=True)
class Text:
    """At most 80 columns wide."""

    asked: AskedColumns

    def begin(self) -> str:
        titles = (_aligned(c.title, c.width, right=c.number) for c in self.asked.columns())
        return self._line("host", titles, "")

    def row(self, row: Row) -> str:
        if row.answers is None:
            lines = wrapped(f"{visible(row.name)}  {notes(row)}", COLUMNS, "    ")
            return "".join(f"{line}\n" for line in lines)
        answers = row.answers
        cells = (_aligned(c.of(answers), c.width, right=c.number) for c in self.asked.columns())
        return self._line(row.name, cells, notes(row))

    def _line(self, name: str, cells: Iterator[str], more: str) -> str:
        line = " ".join((_aligned(_cut(visible(name), _NAME), _NAME, right=False), *cells))
        room = COLUMNS - len(line) - 2
        if width(visible(more)) <= room:
            return f"{line}  {visible(more)}".rstrip() + "\n"
        return f"{line.rstrip()}\n{_paragraph(visible(more), '    ')}"

    def end(self, summary: Summary) -> Iterator[str]:
        yield from _codes(summary)
        yield from _items(summary)
        yield from _tests(summary)
        yield from _matrix(summary)
        for who, lines in kinds(summary, self.asked):
            yield "\n" + _paragraph(who) + "".join(_paragraph(line, "    ") for line in lines)
        for line in gone(summary):
            yield "\n" + _paragraph(line)
        yield "\n" + _paragraph(closing(summary))


def _codes(summary: Summary) -> Iterator[str]:
    if summary.codes:
        yield f"\n{'code':8}{'severity':10}{'hosts':>6}{'findings':>10}  what\n"
    for code, each in sorted(summary.codes.items(), key=lambda pair: -pair[1].hosts):
        yield f"{code:8}{each.severity:10}{each.hosts:>6}{each.findings:>10}  {each.name}\n"


def _items(summary: Summary) -> Iterator[str]:
    if summary.items:
        yield f"\n{'item':46}{'pass':>8}{'fail':>8}{'cannot tell':>14}\n"
    for title, each in summary.items.items():
        passed, failed, open_ = (each.verdicts[v] for v in ("pass", "fail", "cannot tell"))
        yield f"{_cut(title, 45):46}{passed:>8}{failed:>8}{open_:>14}\n"


def _tests(summary: Summary) -> Iterator[str]:
    if summary.tests:
        yield f"\n{'failed':>6}{'of':>7}  test\n"
    for failing, hosts, test, names in table.tests(summary):
        lines = wrapped(f"{failing:>6}{hosts:>7}  {test}", COLUMNS, " " * 19)
        lines += wrapped(f"{' ' * 15}{names}", COLUMNS, " " * 19) if names else []
        yield "".join(f"{line}\n" for line in lines)


def _matrix(summary: Summary) -> Iterator[str]:
    rows = [*table.matrix(summary)]
    if rows:
        titles = "".join(f"{access:>9}" for access in ACCESSES)
        yield f"\n{'from':22}{'to':20}{titles}\n"
    for zone, service, counts in rows:
        words = (
            _aligned(_cut(visible(w), n - 2), n, right=False)
            for w, n in ((zone, 22), (service, 20))
        )
        yield f"{''.join(words)}{''.join(f'{count:>9}' for count in counts)}\n"


def _paragraph(text: str, indent: str = "") -> str:
    lines = wrapped(f"{indent}{text}", COLUMNS, f"{indent}    ")
    return "".join(f"{line}\n" for line in lines)


def _aligned(text: str, columns: int, *, right: bool) -> str:
    room = " " * (columns - width(text))
    return room + text if right else text + room


def _cut(text: str, columns: int) -> str:
    return cut(text, 0, 1, columns)[0] if width(text) > columns else text


class Csv:
    """A row a host and no summary; no cell is a formula."""

    def __init__(self, asked: AskedColumns) -> None:
        self._asked = asked

    def begin(self) -> str:
        titles = (column.title for column in self._asked.columns())
        return _csv(("host", "looked at", "like", *titles, "codes", "changes", "note"))

    def row(self, row: Row) -> str:
        answers = row.answers
        if answers is None:
            empty = ("" for _ in self._asked.columns())
            return _csv((row.name, "no", "", *empty, "", "", row.why))
        codes = " ".join(sorted({finding.code for finding in answers.findings}))
        drifts = [drift for drift in (answers.golden, answers.since) if drift is not None]
        changes = "; ".join(
            line for drift in drifts for line in (*drift.changes, drift.why) if line
        )
        cells = (column.of(answers) for column in self._asked.columns())
        return _csv((row.name, "yes", row.like, *cells, codes, changes, notes(row)))

    def end(self, summary: Summary) -> Iterator[str]:
        return iter(())


def _csv(cells: tuple[str, ...]) -> str:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerow(map(cell, cells))
    return text.getvalue()


class Json:
    """The contract of docs/json-schema.json, ``fleet``; a line a host."""

    def __init__(self, asked: AskedColumns) -> None:
        self._asked = asked
        self._first = True

    def begin(self) -> str:
        asked = json.dumps({name: value or None for name, value in asdict(self._asked).items()})
        return f'{{"version": {VERSION}, "asked": {asked}, "hosts": ['

    def row(self, row: Row) -> str:
        before = "\n" if self._first else ",\n"
        self._first = False
        answers = row.answers
        host = {
            "host": row.name,
            "hostname": row.hostname or None,
            "looked_at": answers is not None,
            "why": row.why or None,
            "like": row.like or None,
            **(dict.fromkeys(_KEYS) if answers is None else _plain(asdict(answers))),
        }
        return before + json.dumps(host)

    def end(self, summary: Summary) -> Iterator[str]:
        yield f'\n], "summary": {json.dumps(_summary(summary), indent=1)}}}\n'


_KEYS = (
    *("rules", "known", "findings", "suppressed", "items", "golden", "since", "tests"),
    *("matrix", "unread", "unfinished"),
)


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [*map(_plain, value)]
        case _:
            return value


def _summary(summary: Summary) -> dict[str, object]:
    return {
        "hosts": summary.hosts,
        "not_looked_at": summary.missed,
        "rules_unknown": summary.unknown,
        "unfinished": summary.unfinished,
        "different": summary.different,
        "gone": list(summary.gone),
        **{severity: summary.severities[severity] for severity in ("error", "warning", "info")},
        "codes": {code: asdict(each) for code, each in sorted(summary.codes.items())},
        "golden": dict(summary.matches.get("golden", {})) or None,
        "since": dict(summary.matches.get("since", {})) or None,
        "tests": {test: asdict(each) for test, each in summary.tests.items()},
        "matrix": [
            {"zone": zone, "service": service, **{a: counted[a] for a in ACCESSES}}
            for (zone, service), counted in summary.matrix.items()
        ],
    }


class Markdown:
    def __init__(self, asked: AskedColumns) -> None:
        self._asked = asked

    def begin(self) -> str:
        columns = self._asked.columns()
        titles = ("host", *(column.title for column in columns), "note")
        lines = ("---", *("---:" if column.number else "---" for column in columns), "---")
        return f"{_row(titles)}{_row(lines)}"

    def row(self, row: Row) -> str:
        answers = row.answers
        cells = ("" if answers is None else c.of(answers) for c in self._asked.columns())
        return _row((markup.text(row.name), *cells, markup.text(notes(row))))

    def end(self, summary: Summary) -> Iterator[str]:
        if summary.codes:
            yield f"\n{_row(('code', 'severity', 'hosts', 'findings', 'what'))}"
            yield _row(("---", "---", "---:", "---:", "---"))
        for code, each in sorted(summary.codes.items(), key=lambda pair: -pair[1].hosts):
            yield _row((code, each.severity, str(each.hosts), str(each.findings), each.name))
        if summary.tests:
            yield f"\n{_row(('failed', 'of', 'test', 'where'))}"
            yield _row(("---:", "---:", "---", "---"))
        for row in table.tests(summary):
            yield _row(tuple(map(markup.text, row)))
        if summary.matrix:
            yield f"\n{_row(('from', 'to', *ACCESSES))}"
            yield _row(("---", "---", *("---:" for _ in ACCESSES)))
        for zone, service, counts in table.matrix(summary):
            yield _row((markup.text(zone), markup.text(service), *counts))
        for who, lines in kinds(summary, self._asked):
            yield f"\n{markup.text(who)}\n\n"
            yield from (f"- {markup.text(line)}\n" for line in lines)
        yield from (f"\n{markup.text(line)}\n" for line in gone(summary))
        yield f"\n{markup.text(closing(summary))}\n"


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _page(asked: AskedColumns) -> Writer:
    """What makes pages is imported where one is asked for."""
    from iptlint.fleet.page import Page

    return Page(asked)


WRITERS: Mapping[str, Callable[[AskedColumns], Writer]] = {
    "text": Text,
    "csv": Csv,
    "json": Json,
    "markdown": Markdown,
    "html": _page,
}
FOR_PEOPLE = ("text",)
