"""What ``trace`` answers, for people and as the JSON contract has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tabulate import tabulate

from iptlint.analysis.exchange import Connection, Reply
from iptlint.analysis.trace import Trace
from iptlint.analysis.trace_outcome import TraceOutcome
from iptlint.findings.phrases import counted
from iptlint.model import Family, Hook
from iptlint.model.quotes import one_line
from iptlint.netfilter.packet_group import TraversalStep
from iptlint.netfilter.routes import ROUTES
from iptlint.packets.describe import describe
from iptlint.packets.space import Space
from iptlint.reports.formats import PLAIN
from iptlint.reports.json_report import VERSION, dumps
from iptlint.reports.places import EXPIRED, UNROUTED, chain_name, in_words, place, verdict
from iptlint.reports.safe import visible, wrapped
from iptlint.reports.witness import as_json
from iptlint.reports.witness import describe as describe_packet

_LINES = 4
_CHAIN, _RULE, _NARROWEST = 26, 60, 40
"""Columns of the table of steps: of the chain, and of the rule at most and at least; where longer
rules have no more than that, they stand below."""


_MOST = 8
"""The most important outcomes; ``--all`` shows the others too."""
_MOST_ENDS = 10


class FamilyTrace(NamedTuple):
    """What is said of the packets of one family, and of their answers if these are followed."""

    traced: Trace
    connection: Connection | None = None


def trace_text(
    answers: Sequence[FamilyTrace], *, everything: bool = False, columns: int = PLAIN.columns
) -> str:
    """``everything``: not the most important outcomes only."""
    blocks = [_blocks(*answer, everything=everything, columns=columns) for answer in answers]
    return "\n".join(block for each in blocks for block in each)


def _blocks(
    traced: Trace, connection: Connection | None, *, everything: bool, columns: int
) -> Iterator[str]:
    outcomes = traced.outcomes
    kinds = [(outcome.kind, outcome.way) for outcome in outcomes]
    shown = _shown(kinds, everything=everything)
    yield from (_outcome_text(traced, outcomes[number], columns) for number in shown)
    yield from _others([*map(head, outcomes)], shown, columns)
    if not outcomes and not traced.notes:
        seen = any(traced.ruleset.sees(family) for family in (Family.IP, Family.IP6))
        yield "no packet is like that here\n" if seen else "there are no rules: all is accepted\n"
    if connection is not None:
        yield from _connection_blocks(connection, everything=everything, columns=columns)
    for note in traced.notes:
        yield "".join(f"{line}\n" for line in wrapped(note, columns))


def _shown(kinds: Sequence[object], *, everything: bool) -> Sequence[int]:
    """Which of the outcomes, which are sorted by size: of each kind the largest, and the largest of
    all."""
    first = {kinds.index(kind) for kind in dict.fromkeys(kinds)}
    ranks = sorted(range(len(kinds)), key=lambda number: (number not in first, number))
    return sorted(ranks[: len(kinds) if everything else _MOST])


def _others(heads: Sequence[str], shown: Sequence[int], columns: int) -> Iterator[str]:
    """How those end that are not shown."""
    left = Counter(heads) - Counter(heads[number] for number in shown)
    if left:
        lines = (each for line in _left(left) for each in wrapped(line, columns, _BEHIND))
        yield "".join(f"{line}\n" for line in lines)


def _left(ends: Counter[str]) -> Iterator[str]:
    yield f"… and {counted(ends.total(), 'smaller outcome')}: --all shows all"
    for head, number in ends.most_common(_MOST_ENDS):
        yield f"  {number}: {head}"
    if len(ends) > _MOST_ENDS:
        yield f"  and {counted(len(ends) - _MOST_ENDS, 'other end')}"


def _outcome_text(traced: Trace, outcome: TraceOutcome, columns: int) -> str:
    said = (head(outcome), *_details(traced, outcome))
    lines = [each for line in said for each in wrapped(line, columns, _BEHIND)]
    lines += _steps(outcome, columns)
    return "".join(f"{line}\n" for line in lines)


_BEHIND = " " * 6
"""Before what a line goes on with."""


def head(outcome: TraceOutcome) -> str:
    """``drop, by the policy of INPUT (rules.v4:3)``"""
    return f"{verdict(outcome.kind)}, {_by(outcome)}"


def _by(outcome: TraceOutcome) -> str:
    if outcome.expired:
        return f"as {EXPIRED}"
    if _is_unrouted(outcome):
        return f"as {UNROUTED}"
    return f"by {in_words(outcome.decision)}"


def _is_unrouted(outcome: TraceOutcome) -> bool:
    return outcome.kind.denies and outcome.decision is None and not outcome.expired


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


def _way(traced: Trace, outcome: TraceOutcome) -> str:
    if traced.over_bridge and outcome.way in ROUTES:
        return f"{_WAYS[outcome.way]} over a bridge"
    return (_OVER_BRIDGE if traced.bridged else _WAYS)[outcome.way]


def _details(traced: Trace, outcome: TraceOutcome) -> Iterator[str]:
    yield f"  {_way(traced, outcome)}"
    for line in _packets(traced.space, outcome):
        yield f"  {line}"
    yield f"  for example: {describe_packet(outcome.witness)}"
    if outcome.becomes is not None:
        yield f"  which becomes: {describe_packet(outcome.becomes)}"
    for condition in outcome.conditions:
        yield f"  if {condition}"
    if outcome.dropped_anyway is not None:
        yield f"  but {outcome.dropped_anyway}"


def _steps(outcome: TraceOutcome, columns: int) -> Iterator[str]:
    """A line each; the rules have what the other columns leave, or a line of their own."""
    rows = [_row(step) for step in outcome.steps]
    if not rows:
        return
    hook, chain, place, rule = (max(map(len, column)) for column in zip(*rows, strict=True))
    left = columns - 4 - hook - min(chain, _CHAIN) - place - 6
    if left < min(rule, _NARROWEST):
        yield from _rules_below(rows, columns)
        return
    widths = (None, _CHAIN, None, min(left, _RULE))
    table = tabulate(rows, tablefmt="plain", disable_numparse=True, maxcolwidths=widths)
    yield from (visible(f"    {line}") for line in table.splitlines())


def _rules_below(rows: Sequence[tuple[str, ...]], columns: int) -> Iterator[str]:
    places = tabulate([row[:-1] for row in rows], tablefmt="plain", disable_numparse=True)
    for where, (*_, rule) in zip(places.splitlines(), rows, strict=True):
        yield from wrapped(f"    {where.rstrip()}", columns, " " * 10)
        yield from wrapped(f"        {rule}", columns, " " * 10)


def _packets(space: Space, outcome: TraceOutcome) -> list[str]:
    description = describe(space, outcome.packets, _LINES, within=outcome.among)
    return [*description.lines, *(["and more"] if description.more else [])]


def _row(step: TraversalStep) -> tuple[str, ...]:
    span = step.decision.span
    text = one_line(span.text) if step.decision.rule else "policy"
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


def _connection_blocks(connection: Connection, *, everything: bool, columns: int) -> Iterator[str]:
    answers = dict(text for each in connection.replies for text in _replies(each, columns))
    if answers:
        yield "the answers:\n"
        texts = [*answers]
        shown = _shown([kind for _, kind in answers.values()], everything=everything)
        yield from (texts[number] for number in shown)
        yield from _others([head for head, _ in answers.values()], shown, columns)
    yield f"{connection.verdict}\n"


def _replies(reply: Reply, columns: int) -> Iterator[tuple[str, tuple[str, object]]]:
    """The text of each, how it ends, and what kind of end that is."""
    if reply.trace is not None:
        for outcome in reply.outcomes:
            yield _outcome_text(reply.trace, outcome, columns), (head(outcome), outcome.kind)
    if reply.lost is not None:
        yield f"{visible(reply.lost)}\n", (reply.lost, "lost")


def trace_json(answers: Sequence[FamilyTrace]) -> str:
    """All of them, whatever the text leaves out."""
    answer: dict[str, object] = {
        "version": VERSION,
        "outcomes": _outcomes(each.traced for each in answers),
        "bridged": any(each.traced.bridged or each.traced.over_bridge for each in answers),
        "notes": [note for each in answers for note in each.traced.notes],
    }
    connections = [each.connection for each in answers if each.connection is not None]
    if connections:
        replies = [reply for connection in connections for reply in connection.replies]
        works = {connection.works for connection in connections}
        answer["reply"] = {
            "outcomes": _outcomes(reply.trace for reply in replies if reply.trace),
            "lost": [reply.lost for reply in replies if reply.lost],
            "works": works.pop() if len(works) == 1 else None,
        }
    return dumps(answer)


def _outcomes(traces: Iterable[Trace]) -> list[dict[str, object]]:
    return [_outcome_json(traced, outcome) for traced in traces for outcome in traced.outcomes]


def _outcome_json(traced: Trace, outcome: TraceOutcome) -> dict[str, object]:
    return {
        "verdict": verdict(outcome.kind),
        "way": outcome.way.value,
        "expired": outcome.expired,
        "unrouted": _is_unrouted(outcome),
        "decided_by": place(outcome.decision),
        "conditions": list(outcome.conditions),
        "dropped_anyway": outcome.dropped_anyway,
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
