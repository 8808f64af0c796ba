"""What ``trace`` is not asked of exchanges, or leaves out: with each line that goes, the judge
becomes stricter."""

from __future__ import annotations

import re

from tests.kernel.exchanges import End, Exchange, Passage

_ANOTHER_CONNECTION = re.compile(r"CT --zone|NOTRACK|ct zone set|notrack")
_ADDRESS_TYPE = re.compile("addrtype|fib daddr")


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
    """Of one ruleset, its lines numbered from 1."""

    def __init__(self, text: str) -> None:
        self.text = text
        # The harness reads marks where ip sees packets, and bridges write them elsewhere.
        self.sees_mark = "table bridge" not in text
        lines = enumerate(text.split("\n"), 1)
        self.splits_connections = _ANOTHER_CONNECTION.search(text) is not None
        self.of_address_types = {number for number, line in lines if _ADDRESS_TYPE.search(line)}

    def of_turn(self, exchange: Exchange, turn: int) -> str | None:
        """Why nothing is claimed of the packet."""
        if turn > 1 and self.splits_connections:
            return "what comes after an answer that has no connection"
        return not_asked(exchange.passages[turn])

    def is_hairpin_unseen(self, passage: Passage) -> bool:
        """Of those that turn back: where only the port is another, where the caller is called, or
        where no rule names the interface."""
        heard = passage.heard
        is_near = heard is not None and heard.daddr in (passage.sent.daddr, heard.saddr)
        return is_near or self.is_way_unnamed(passage)

    def is_way_unnamed(self, passage: Passage) -> bool:
        """No rule names the interface that it leaves by, so it may be told as another."""
        return passage.out is not None and passage.out not in self.text

    def says_interface(self, passage: Passage) -> bool:
        """Whether the one that it leaves by is to be said: not where no rule names it, nor of the
        host's own packets, for which it is asked."""
        return passage.out is not None and passage.sender is not None and passage.out in self.text

    def lines_of_turn(self, turn: int) -> set[int]:
        """Rules of which nothing is claimed: an answer's address was another before."""
        return self.of_address_types if turn % 2 else set()
