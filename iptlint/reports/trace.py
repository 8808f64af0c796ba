"""What ``trace`` answers, for people and as the JSON contract has it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tabulate import tabulate

from iptlint.analysis.trace import Connection, Trace, TraceOutcome
from iptlint.netfilter.traversal import TraversalStep
from iptlint.packets.describe import describe
from iptlint.reports.json_report import VERSION, dumps
from iptlint.reports.places import chain_name, in_words, place, verdict
from iptlint.reports.safe import visible
from iptlint.reports.witness import as_json
from iptlint.reports.witness import describe as describe_packet

_LINES = 4
_WIDTHS = (None, 26, None, 60)


def trace_text(traced: Trace, connection: Connection | None) -> str:
    blocks = [_outcome_text(traced, outcome) for outcome in traced.outcomes]
    if not blocks:
        blocks = ["no packet is like that here\n"]
    if connection is not None:
        blocks += _connection_text(connection)
    return "\n".join(blocks)


def _outcome_text(traced: Trace, outcome: TraceOutcome) -> str:
    head = f"{verdict(outcome.kind)}, by {in_words(outcome.decision)}"
    return "".join(f"{visible(line)}\n" for line in (head, *_details(traced, outcome)))


def _details(traced: Trace, outcome: TraceOutcome) -> Iterator[str]:
    for line in _packets(traced, outcome):
        yield f"  {line}"
    yield f"  for example: {describe_packet(outcome.witness)}"
    if outcome.becomes is not None:
        yield f"  which becomes: {describe_packet(outcome.becomes)}"
    for condition in outcome.conditions:
        yield f"  if {condition}"
    rows = [_row(step) for step in outcome.steps]
    table = tabulate(rows, tablefmt="plain", disable_numparse=True, maxcolwidths=_WIDTHS)
    for line in table.splitlines():
        yield f"    {line}"


def _packets(traced: Trace, outcome: TraceOutcome) -> list[str]:
    description = describe(traced.space, outcome.packets, _LINES, within=traced.asked)
    return [*description.lines, *(["and more"] if description.more else [])]


def _row(step: TraversalStep) -> tuple[str, ...]:
    span = step.decision.span
    text = " ".join(span.text.split()) if step.decision.rule else "policy"
    does = effect(step)
    said = text if text.endswith(does) else f"{text} → {does}"
    return step.hook.value, chain_name(step.decision), f"line {span.line}", said


def effect(step: TraversalStep) -> str:
    """``accept``, ``jump web``, ``continue``."""
    rule = step.decision.rule
    if rule is not None and rule.verdict.chain is not None:
        return f"{step.kind.value} {rule.verdict.chain}"
    if rule is not None and step.kind.value in ("continue", "nat", "unknown"):
        return rule.verdict.name or step.kind.value
    return step.kind.value


def _connection_text(connection: Connection) -> list[str]:
    answers = [_outcome_text(reply, o) for reply in connection.replies for o in reply.outcomes]
    head = ["the answers:\n", *answers] if answers else []
    return [*head, f"{connection.verdict}\n"]


def trace_json(traced: Trace, connection: Connection | None) -> str:
    answer: dict[str, object] = {"version": VERSION, "outcomes": _outcomes([traced])}
    if connection is not None:
        answer["reply"] = {
            "outcomes": _outcomes(connection.replies),
            "works": connection.works,
        }
    return dumps(answer)


def _outcomes(traces: Sequence[Trace]) -> list[dict[str, object]]:
    return [_outcome_json(traced, outcome) for traced in traces for outcome in traced.outcomes]


def _outcome_json(traced: Trace, outcome: TraceOutcome) -> dict[str, object]:
    return {
        "verdict": verdict(outcome.kind),
        "decided_by": place(outcome.decision),
        "conditions": list(outcome.conditions),
        "packets": "; ".join(_packets(traced, outcome)),
        "witness": as_json(outcome.witness),
        "becomes": as_json(outcome.becomes),
        "steps": [_step(step) for step in outcome.steps],
    }


def _step(step: TraversalStep) -> dict[str, object]:
    span = step.decision.span
    return {
        "path": span.source.path,
        "line": span.line,
        "hook": step.hook.value,
        "table": step.decision.table.name,
        "chain": step.decision.chain.name,
        "effect": effect(step),
    }
