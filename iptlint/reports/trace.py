"""What ``trace`` answers, for people and as the JSON contract has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tabulate import tabulate

from iptlint.analysis.exchange import Connection, Reply
from iptlint.analysis.trace import Trace, TraceOutcome
from iptlint.model import Hook
from iptlint.netfilter.packet_group import TraversalStep
from iptlint.packets.describe import describe
from iptlint.packets.space import Space
from iptlint.reports.json_report import VERSION, dumps
from iptlint.reports.places import EXPIRED, chain_name, in_words, place, verdict
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
    blocks += (f"{visible(note)}\n" for note in traced.notes)
    return "\n".join(blocks)


def _outcome_text(traced: Trace, outcome: TraceOutcome) -> str:
    head = f"{verdict(outcome.kind)}, {_by(outcome)}"
    return "".join(f"{visible(line)}\n" for line in (head, *_details(traced, outcome)))


def _by(outcome: TraceOutcome) -> str:
    if outcome.expired:
        return f"as {EXPIRED}"
    return f"by {in_words(outcome.decision)}"


_WAYS = {
    Hook.INPUT: "to this host",
    Hook.FORWARD: "forwarded",
    Hook.OUTPUT: "from this host",
    Hook.PREROUTING: "before it is routed",
    Hook.INGRESS: "as it comes in",
}
_OVER_BRIDGE = {
    Hook.INPUT: "to this host over a bridge",
    Hook.FORWARD: "bridged",
    Hook.OUTPUT: "from this host over a bridge",
}


def _details(traced: Trace, outcome: TraceOutcome) -> Iterator[str]:
    yield f"  {(_OVER_BRIDGE if traced.bridged else _WAYS)[outcome.way]}"
    for line in _packets(traced.space, outcome):
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


def _packets(space: Space, outcome: TraceOutcome) -> list[str]:
    description = describe(space, outcome.packets, _LINES, within=outcome.among)
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
    answers = dict.fromkeys(text for each in connection.replies for text in _reply_text(each))
    head = ["the answers:\n", *answers] if answers else []
    return [*head, f"{connection.verdict}\n"]


def _reply_text(reply: Reply) -> Iterator[str]:
    if reply.trace is not None:
        for outcome in reply.outcomes:
            yield _outcome_text(reply.trace, outcome)
    if reply.lost is not None:
        yield f"{visible(reply.lost)}\n"


def trace_json(traced: Trace, connection: Connection | None) -> str:
    answer: dict[str, object] = {
        "version": VERSION,
        "outcomes": _outcomes([traced]),
        "bridged": traced.bridged,
        "notes": list(traced.notes),
    }
    if connection is not None:
        answer["reply"] = {
            "outcomes": _outcomes(reply.trace for reply in connection.replies if reply.trace),
            "lost": [reply.lost for reply in connection.replies if reply.lost],
            "works": connection.works,
        }
    return dumps(answer)


def _outcomes(traces: Iterable[Trace]) -> list[dict[str, object]]:
    return [_outcome_json(traced, outcome) for traced in traces for outcome in traced.outcomes]


def _outcome_json(traced: Trace, outcome: TraceOutcome) -> dict[str, object]:
    return {
        "verdict": verdict(outcome.kind),
        "way": outcome.way.value,
        "expired": outcome.expired,
        "decided_by": place(outcome.decision),
        "conditions": list(outcome.conditions),
        "packets": "; ".join(_packets(traced.space, outcome)),
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
