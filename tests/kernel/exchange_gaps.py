"""What ``trace`` is not asked of exchanges, or leaves out: with each line that goes, the judge
becomes stricter."""

from __future__ import annotations

import re

from tests.kernel.exchanges import End, Exchange, Passage

_ANOTHER_CONNECTION = re.compile(r"CT --zone|NOTRACK|ct zone set|notrack")


def not_asked(passage: Passage) -> str | None:
    if passage.hooks[:1] == ("output",) and "prerouting" in passage.hooks:
        return "what goes out by lo comes in again"
    if passage.arrived and not passage.entries:
        return "what a bridge forwards does not come to ip"
    last = passage.entries[-1] if passage.entries else None
    if last and (last.hook, last.is_last, passage.end) == ("postrouting", True, End.DROPPED):
        return "nobody has the address that it was sent to"
    return None


class Gaps:
    """Of one ruleset."""

    def __init__(self, text: str) -> None:
        self.text = text
        # The harness reads marks where ip sees packets; bridges write them elsewhere, and devices
        # where packets leave.
        self.sees_mark = "table bridge" not in text and "hook egress" not in text
        self.splits_connections = _ANOTHER_CONNECTION.search(text) is not None

    def of_turn(self, exchange: Exchange, turn: int) -> str | None:
        """Why nothing is claimed of the packet."""
        if turn > 1 and self.splits_connections:
            return "what comes after an answer that has no connection"
        return not_asked(exchange.passages[turn])

    def is_answer_unseen(self) -> bool:
        """A bridge, or a device, may hold up what ip never sees."""
        return not self.sees_mark or "table netdev" in self.text

    def says_interface(self, passage: Passage) -> bool:
        """Whether the one that it leaves by is to be said: not of the host's own packets, for which
        it is asked."""
        return passage.out is not None and passage.sender is not None
