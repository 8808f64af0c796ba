"""What ``trace`` is not asked of exchanges, or leaves out: with each line that goes, the judge
becomes stricter."""

from __future__ import annotations

import re

from tests.kernel.exchanges import Exchange, Passage

_ANOTHER_CONNECTION = re.compile(r"CT --zone|NOTRACK|ct zone set|notrack")
_RANGE = re.compile(r"\b\d+-\d+\b|[0-9a-f]-fd|\d-\d")
_OF_ANSWERS = re.compile("addrtype|fib daddr|connmark|CONNMARK|ct mark")


def not_asked(passage: Passage) -> str | None:
    if passage.hooks[:1] == ("output",) and "prerouting" in passage.hooks:
        return "what goes out by lo comes in again"
    if passage.arrived and not passage.entries:
        return "what a bridge forwards does not come to ip"
    return None


class Gaps:
    """Of one ruleset, its lines numbered from 1."""

    def __init__(self, text: str) -> None:
        lines = list(enumerate(text.split("\n"), 1))
        self.splits_connections = _ANOTHER_CONNECTION.search(text) is not None
        self.maps_networks = "NETMAP" in text or " prefix " in text
        self.ranges = {number for number, line in lines if _RANGE.search(line)}
        self.of_answers = {number for number, line in lines if _OF_ANSWERS.search(line)}

    def of_turn(self, exchange: Exchange, turn: int) -> str | None:
        """Why nothing is claimed of the packet."""
        if (why := not_asked(exchange.passages[turn])) is not None:
            return why
        if turn and self.splits_connections:
            return "an answer is taken to have the connection of its question"
        if any(passage.moved & self.ranges for passage in exchange.passages[: turn + 1]):
            return "of a range one is said"
        return None

    def lines_of_turn(self, turn: int) -> set[int]:
        """Rules of which nothing is claimed."""
        return self.of_answers if turn else set()
