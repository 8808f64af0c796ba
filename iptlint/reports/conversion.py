"""What ``convert`` answers beside the new text: what of it is not proved, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iptlint.convert.conversion import Conversion
from iptlint.convert.languages import Translated
from iptlint.convert.rendering import Rendering, State
from iptlint.model.quotes import shortened
from iptlint.reports.json_report import VERSION, dumps
from iptlint.reports.safe import wrapped
from iptlint.reports.text import COLUMNS

_MOST_SHOWN = 20
"""Rules with one reason."""
_TOLD = (State.NOT_CONVERTED, State.NOT_PROVED, State.LEFT_OUT)


def conversion_text(conversion: Conversion, notes: Sequence[str]) -> str:
    """For people, beside the text: rules with their reasons, the notes, how many there are."""
    lines = [
        *(each for why in conversion.refused for each in wrapped(why, COLUMNS, "  ")),
        *_by_reason(conversion),
        *_as_a_whole(conversion),
        *(each for note in notes for each in wrapped(f"note: {note}", COLUMNS, "  ")),
        *wrapped(_summary(conversion), COLUMNS),
    ]
    return "".join(f"{line}\n" for line in lines)


def _by_reason(conversion: Conversion) -> Iterator[str]:
    by_reason: dict[tuple[State, str], list[Rendering]] = {}
    for state in _TOLD:
        for entry in conversion.of_state(state):
            by_reason.setdefault((state, entry.reason), []).append(entry)
    for (state, reason), entries in by_reason.items():
        yield from wrapped(f"{state.value}: {reason}", COLUMNS, "  ")
        rules = [rule for entry in entries for rule in entry.rules]
        for rule in rules[:_MOST_SHOWN]:
            span = rule.statement.span
            where = f"{span.source.path}:{span.line}: {shortened(span.text)}"
            yield from wrapped(f"  {where}", COLUMNS, " " * 6)
        if len(rules) > _MOST_SHOWN:
            yield f"  and {len(rules) - _MOST_SHOWN} more"


def _as_a_whole(conversion: Conversion) -> Iterator[str]:
    for difference in conversion.differences:
        for change in difference.changes[:_MOST_SHOWN]:
            packet = change.witness
            what = f"{packet.proto or 'a packet'} from {packet.saddr or 'anywhere'}"
            yield from wrapped(
                f"not proved as a whole: {what} at {change.hook.value} is {change.old.kind.value}, "
                f"then {change.new.kind.value}",
                COLUMNS,
                "  ",
            )
        if not difference.changes and not difference.certain:
            yield from wrapped(
                "not proved as a whole: what a limit, or a test that is not interpreted, decides "
                "may come out otherwise",
                COLUMNS,
                "  ",
            )


def _summary(conversion: Conversion) -> str:
    counts = {state: conversion.count(state) for state in State}
    parts = [f"{counts[State.PROVED]} of {sum(counts.values())} rules converted and proved"]
    parts += [
        f"{counts[state]} {_in_sum(state, counts[state])}" for state in _TOLD if counts[state]
    ]
    whole = f"; {conversion.whole}" if conversion.whole else ""
    return ", ".join(parts) + whole


def _in_sum(state: State, number: int) -> str:
    if state is not State.LEFT_OUT:
        return str(state.value)
    return f"left out that {'decides' if number == 1 else 'decide'} nothing"


def conversion_json(conversion: Conversion, notes: Sequence[str]) -> str:
    """``rules``: those that are not proved. ``whole``: whether all packets fare alike; null where
    that was not asked."""
    return dumps(
        {
            "version": VERSION,
            "text": conversion.source.text,
            "proved": conversion.holds,
            "whole": _whole(conversion),
            "rules": [each for entry in _doubtful(conversion) for each in _rule(entry)],
            "refused": list(conversion.refused),
            "notes": list(notes),
            "summary": {state.value.replace(" ", "_"): conversion.count(state) for state in State},
        }
    )


def _whole(conversion: Conversion) -> bool | None:
    if not conversion.differences:
        return None
    return all(difference.equivalent for difference in conversion.differences)


def _doubtful(conversion: Conversion) -> Iterator[Rendering]:
    return (entry for _, _, entry in conversion.entries() if entry.state is not State.PROVED)


def _rule(entry: Rendering) -> Iterator[dict[str, object]]:
    for rule in entry.rules:
        span = rule.statement.span
        yield {
            "path": span.source.path,
            "line": span.line,
            "text": span.text,
            "state": entry.state.value.replace(" ", "_"),
            "reason": entry.reason,
        }


def translation_json(translated: Translated) -> str:
    """Of nft text as JSON, or JSON as text."""
    return dumps(
        {
            "version": VERSION,
            "text": translated.text,
            "proved": translated.holds,
            "whole": None,
            "rules": [
                {"path": path, "line": line, "text": None, "state": "not_converted", "reason": why}
                for path, line, why in translated.lost
            ],
            "refused": [translated.objection] if translated.objection else [],
            "notes": [],
            "summary": {"not_converted": len(translated.lost)},
        }
    )
