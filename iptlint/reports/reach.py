"""What ``reach`` answers, for people and as the JSON contract has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tabulate import tabulate

from iptlint.analysis.reach import RuleReach, Status
from iptlint.model import Rule
from iptlint.model.quotes import one_line
from iptlint.reports.formats import PLAIN
from iptlint.reports.json_report import VERSION, dumps
from iptlint.reports.safe import visible, wrapped
from iptlint.reports.witness import as_json, describe

HEADERS = ("line", "table", "chain", "status", "rule", "for example, or why not")
WIDTHS = (None, None, 20, None, 50, 50)


def reach_text(
    answers: Sequence[RuleReach], notes: Sequence[str] = (), columns: int = PLAIN.columns
) -> str:
    """A table with a row for each rule, or a paragraph where there is no room for that; a line that
    counts them, and what was not followed."""
    rows = [tuple(map(visible, _row(answer))) for answer in answers]
    table = tabulate(rows, HEADERS, "simple", disable_numparse=True, maxcolwidths=WIDTHS)
    if rows and max(map(len, table.splitlines())) > columns:
        table = "\n\n".join("\n".join(_paragraph(answer, columns)) for answer in answers)
    counted = Counter(answer.status for answer in answers)
    counts = ", ".join(f"{counted[status]} {status.value}" for status in Status)
    notes_text = "".join(f"{visible(note)}\n" for note in notes)
    if not rows:
        return "there are no rules that could be read\n"
    return f"{table}\n\n{counts}\n{notes_text}"


def _paragraph(answer: RuleReach, columns: int) -> Iterator[str]:
    line, table, chain, status, rule, evidence = _row(answer)
    word = "for example: " if answer.witness else ""
    yield from wrapped(f"line {line}, {table} {chain}: {status}", columns, " " * 6)
    yield from wrapped(f"  {rule}", columns, " " * 6)
    yield from wrapped(f"  {word}{evidence}", columns, " " * 6)


def _row(answer: RuleReach) -> tuple[str, ...]:
    return (
        str(answer.line),
        f"{answer.table.family.value} {answer.table.name}",
        answer.chain.name,
        answer.status.value,
        one_line(answer.span.text),
        _evidence(answer),
    )


def _evidence(answer: RuleReach) -> str:
    if answer.witness:
        shown = describe(answer.witness)
        return f"{shown}; but {answer.unless}" if answer.unless else shown
    lines = ", ".join(str(rule.origin.span.line) for rule in answer.taken_by)
    reason = answer.reason.value if answer.reason else ""
    reason = f"{reason}: line {lines}" if lines else reason
    return f"{reason}, {answer.unless}" if answer.unless else reason


def reach_json(answers: Sequence[RuleReach], notes: Sequence[str] = ()) -> str:
    rules = [_answer(answer) for answer in answers]
    return dumps({"version": VERSION, "notes": [*notes], "rules": rules})


def _answer(answer: RuleReach) -> dict[str, object]:
    return {
        "path": answer.span.source.path,
        "line": answer.line,
        "family": answer.table.family.value,
        "table": answer.table.name,
        "chain": answer.chain.name,
        "text": answer.span.text,
        "status": answer.status.value,
        "reason": answer.reason.value if answer.reason else None,
        "unless": answer.unless,
        "taken_by": [_taker(rule) for rule in answer.taken_by],
        "witness": as_json(answer.witness),
    }


def _taker(rule: Rule) -> dict[str, object]:
    span = rule.origin.span
    return {"path": span.source.path, "line": span.line, "verdict": rule.verdict.kind.value}
