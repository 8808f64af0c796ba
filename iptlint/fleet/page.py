"""A fleet as one page of HTML: no script, nothing from elsewhere, and a policy that says so."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from iptlint.fleet import table
from iptlint.fleet.rows import Row
from iptlint.fleet.summary import ACCESSES, Summary
from iptlint.fleet.table import AskedColumns, closing, gone, kinds, notes
from iptlint.reports.html.environment import environment, rendered

_HERE = "<!-- a row for each host -->"
"""Where the page is parted: a row is written as soon as it is known."""


@dataclass(frozen=True, slots=True)
class TableView:
    """The last ``numbers`` columns are numbers."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[tuple[str, ...]]
    numbers: int


@dataclass(frozen=True, slots=True)
class SummaryView:
    """``differences``: who differs from another host or day, and the lines that say how."""

    sentences: tuple[str, ...]
    tables: tuple[TableView, ...]
    differences: tuple[tuple[str, tuple[str, ...]], ...]


class Page:
    def __init__(self, asked: AskedColumns) -> None:
        self._asked = asked
        self._row = environment().get_template("fleet_row.html")

    def begin(self) -> str:
        before, _ = self._around(None)
        return before

    def row(self, row: Row) -> str:
        return self._row.render(
            row=row,
            columns=self._asked.columns(),
            note=notes(row).removeprefix(f"as {row.like}") if row.like else notes(row),
            anchor=_anchor,
        )

    def end(self, summary: Summary) -> Iterator[str]:
        differences = tuple(kinds(summary, self._asked))
        sentences = (closing(summary), *gone(summary))
        _, after = self._around(SummaryView(sentences, tuple(_tables(summary)), differences))
        yield after

    def _around(self, summary: SummaryView | None) -> tuple[str, str]:
        """What stands before the rows, and what behind them."""
        columns = self._asked.columns()
        page = rendered("fleet.html", columns=columns, here=_HERE, summary=summary)
        before, _, after = page.partition(_HERE)
        return before, after


def _tables(summary: Summary) -> Iterator[TableView]:
    each = (_codes(summary), _items(summary), _tests(summary), _matrix(summary))
    yield from (view for view in each if view.rows)


def _codes(summary: Summary) -> TableView:
    by_hosts = sorted(summary.codes.items(), key=lambda pair: -pair[1].hosts)
    rows = [(code, c.severity, c.name, str(c.hosts), str(c.findings)) for code, c in by_hosts]
    heads = ("code", "severity", "what", "hosts", "findings")
    return TableView("What is found", heads, rows, numbers=2)


def _items(summary: Summary) -> TableView:
    verdicts = ("pass", "fail", "cannot tell")
    rows = [
        (title, *(str(each.verdicts[word]) for word in verdicts))
        for title, each in summary.items.items()
    ]
    return TableView("Items of the benchmarks, by hosts", ("item", *verdicts), rows, numbers=3)


def _tests(summary: Summary) -> TableView:
    rows = [(test, where, failed, of) for failed, of, test, where in table.tests(summary)]
    heads = ("test", "where it fails", "failed", "of")
    return TableView("Policy tests, by hosts", heads, rows, numbers=2)


def _matrix(summary: Summary) -> TableView:
    rows = [(zone, service, *counts) for zone, service, counts in table.matrix(summary)]
    heads = ("from", "to", *ACCESSES)
    return TableView("Who reaches which service, by hosts", heads, rows, numbers=len(ACCESSES))


def _anchor(name: str) -> str:
    return f"host-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
