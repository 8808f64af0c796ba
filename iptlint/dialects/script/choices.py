"""Variables that have one of several values, and what has to hold for each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from iptlint.dialects.script.generated_text import Condition
from iptlint.dialects.script.truths import all_of, any_of, is_decision, is_simple

MOST = 6
"""So many values of a variable are told apart."""

Value = str | tuple[str, ...]
"""A tuple is an array."""

_SAME_TOOL = re.compile(
    r"(?:\S*/)?(?P<tool>ip6?tables|ipset|nft|ip6?tables-restore)(?:-legacy|-nft)?"
    r"(?:\s+(?:-w|--wait)(?:[ =]?\d+)?)*"
)
_ONLY_WAITS = re.compile(r"\s*|(?:-w|--wait)(?:[ =]?\d+)?")


@dataclass(frozen=True, slots=True)
class Option:
    """One value; None for a variable that is not set then."""

    condition: Condition
    value: Value | None


def one_of(ways: Sequence[tuple[Condition, Sequence[Option]]]) -> tuple[Option, ...]:
    """What a variable may be that is one of the options on each of the ways; none where nobody can
    tell them apart, or where there are too many."""
    together: dict[Value | None, Option] = {}
    for way, options in ways:
        for option in options:
            condition = _both(way, option.condition)
            if not (is_decision(condition.truth) and is_simple(condition.truth)):
                return ()
            known = together.get(option.value)
            if known is not None:
                truth = any_of((known.condition.truth, condition.truth))
                condition = replace(known.condition, truth=truth)
            together[option.value] = Option(condition, option.value)
    return tuple(together.values()) if len(together) <= MOST else ()


def _both(one: Condition, other: Condition) -> Condition:
    truth = all_of((one.truth, other.truth))
    assert truth is not None
    return replace(other, truth=truth)


def all_alike(values: Iterable[Value | None]) -> Value | None:
    """One of the values, where for the rules it is all the same which: the same tool by several
    names, or whether it waits for others."""
    texts = [value or "" for value in values]
    if not all(isinstance(text, str) for text in texts):
        return None
    written = [text.strip() for text in texts if isinstance(text, str)]
    tools = {match and match["tool"] for match in map(_SAME_TOOL.fullmatch, written)}
    if len(tools) == 1 and None not in tools:
        return written[0]
    return "" if all(map(_ONLY_WAITS.fullmatch, written)) else None
