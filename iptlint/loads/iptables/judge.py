"""What iptables-restore does with a file: line by line, and each table when its COMMIT comes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from iptlint.dialects import Reading
from iptlint.dialects.diagnostics import Diagnostic, Fate
from iptlint.dialects.iptables.parsing.tree import (
    CommitLine,
    SaveFile,
    TableLine,
)
from iptlint.loads.iptables.checks import AT_COMMIT, NO_TABLE, SYNTAX, VALUE
from iptlint.loads.iptables.committing import kernel_refusals
from iptlint.loads.iptables.names import Names
from iptlint.loads.iptables.versions import misread_interfaces, misread_ports, versions
from iptlint.loads.refusal import Carried, Load, Refusal, Stage
from iptlint.loads.target import Target
from iptlint.model import Family
from iptlint.source import Span, Spans

_CODES = ("IPT001", "IPT006")


def judge(reading: Reading, before: Sequence[Reading] = (), target: Target | None = None) -> Load:
    """``before``: what is loaded already; of rules nothing is left by then in the tables that the
    file has, so only the sets count."""
    assert isinstance(reading.tree, SaveFile)
    if reading.tree.bare:
        return _without_table(reading)
    diagnostics = [d for d in reading.diagnostics if d.code in _CODES]
    refusals = [_refusal(reading, d) for d in diagnostics if _refuses(d)]
    names = Names(reading.ruleset.source, reading.tree, before)
    for more in (kernel_refusals(reading), names.refusals()):
        spans = Spans(refusal.span for refusal in refusals)
        refusals += [refusal for refusal in more if not spans.overlap(refusal.span)]
    changes = [_refusal(reading, d) for d in diagnostics if d.fate is Fate.CHANGED]
    if target is not None:
        refusals += versions(reading, target)
        changes += misread_interfaces(reading, target)
        changes += misread_ports(reading, target)
    ordered = tuple(_in_order(refusals, reading.tree))
    first = ordered[0].span.start if ordered else len(reading.ruleset.source.text)
    return Load(
        reading.ruleset.source,
        "iptables-restore" if reading.tree.family is Family.IP else "ip6tables-restore",
        ordered,
        tuple(changes),
        tuple(_carried(reading, _table_of(first, reading.tree))),
        atomic=False,
    )


def _without_table(reading: Reading) -> Load:
    """What `iptables -S` prints is for the command, one line each."""
    source = reading.ruleset.source
    line = next(
        (n for n in range(1, 1 + source.text.count("\n")) if source.line_text(n).strip()), 1
    )
    cause = "no table begins before this line: it is not what iptables-save prints"
    mend = "put the lines between `*filter` and COMMIT, or save the rules with iptables-save"
    refusal = Refusal(source.line_span(line), NO_TABLE, cause, mend, missing=True)
    return Load(source, "iptables-restore", (refusal,), atomic=False)


def _refuses(diagnostic: Diagnostic) -> bool:
    if diagnostic.fate is Fate.CHANGED:
        return False
    return diagnostic.severity == "error" or bool(
        diagnostic.variant or diagnostic.fate is Fate.MISSING
    )


def _refusal(reading: Reading, diagnostic: Diagnostic) -> Refusal:
    check = SYNTAX if diagnostic.code == "IPT001" else VALUE
    if diagnostic.fate is Fate.AT_COMMIT:
        check = AT_COMMIT
    span = Span(reading.ruleset.source, diagnostic.start, diagnostic.end)
    missing = diagnostic.fate is Fate.MISSING
    return Refusal(span, check, diagnostic.message, diagnostic.help, missing, diagnostic.variant)


# -- the order of the tool -----------------------------------------------------


def _in_order(refusals: Sequence[Refusal], tree: SaveFile) -> list[Refusal]:
    """Table by table; what the kernel refuses of a table comes once the tool has read it."""
    starts = [line.start for line in tree.lines if isinstance(line, TableLine)]

    def place(refusal: Refusal) -> tuple[int, bool, int]:
        table = bisect_right(starts, refusal.span.start)
        return table, refusal.check.stage is Stage.KERNEL, refusal.span.start

    return sorted(refusals, key=place)


def _table_of(first: int, tree: SaveFile) -> int:
    """Where the table begins in which the tool stops; the end of the text where it does not."""
    starts = [line.start for line in tree.lines if isinstance(line, TableLine)]
    return max((start for start in starts if start <= first), default=first)


def _carried(reading: Reading, end: int) -> Iterator[Carried]:
    """The tables that were committed before."""
    table: TableLine | None = None
    assert isinstance(reading.tree, SaveFile)
    for line in reading.tree.lines:
        if line.start >= end:
            return
        match line:
            case TableLine():
                table = line
            case CommitLine() if table is not None:
                span = Span(reading.ruleset.source, table.start, table.end)
                yield Carried(span, f"table {table.name}")
                table = None
