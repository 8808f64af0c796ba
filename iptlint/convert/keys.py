"""One test of a rule as the elements of a set: which values it takes, and whether two share one."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from iptlint.model.numbers import decimal

_WORD = re.compile(r"([a-z0-9 ]+) (\{ [^{}]+ \}|[^ {}!&@]+)")
_PLAIN = re.compile(r'[0-9a-z-]+|"[A-Za-z0-9_.:@-]+"', re.ASCII)

Span = tuple[int, int]


def _numbers(text: str) -> Span | None:
    low, _, high = text.partition("-")
    ends = decimal(low), decimal(high or low)
    return (ends[0], ends[1]) if ends[0] is not None and ends[1] is not None else None


def _addresses(text: str) -> Span | None:
    try:
        if "-" in text:
            low, high = map(ip_address, text.split("-"))
            return int(low), int(high)
        network = ip_network(text)
    except ValueError:
        return None
    return int(network[0]), int(network[-1])


_PORTED = ("tcp", "udp", "sctp", "dccp", "udplite")
_TYPES: dict[str, tuple[str, Callable[[str], Span | None] | None]] = {
    **{f"ip {side}": ("ipv4_addr", _addresses) for side in ("saddr", "daddr")},
    **{f"ip6 {side}": ("ipv6_addr", _addresses) for side in ("saddr", "daddr")},
    **{
        f"{name} {side}": ("inet_service", _numbers)
        for name in _PORTED
        for side in ("sport", "dport")
    },
    **dict.fromkeys(("iifname", "oifname"), ("ifname", None)),
    "meta l4proto": ("inet_proto", None),
    "icmp type": ("icmp_type", None),
    "icmpv6 type": ("icmpv6_type", None),
}
"""What nft calls the type, and how values are told apart that are not only names. No rule of the
chain, and of none that it calls, changes one of these for a packet that comes back."""


@dataclass(frozen=True, slots=True)
class Key:
    """``place``: which word of the rule it is."""

    place: int
    selector: str
    elements: tuple[str, ...]

    @property
    def type(self) -> str:
        return _TYPES[self.selector][0]

    @property
    def is_interval(self) -> bool:
        return _TYPES[self.selector][1] is not None and any(
            "-" in each or "/" in each for each in self.elements
        )


def keys(words: Sequence[str]) -> Iterable[Key]:
    """The words that say one of some values, each."""
    for place, word in enumerate(words):
        match = _WORD.fullmatch(word)
        if match is not None and match[1] in _TYPES:
            elements = tuple(match[2].strip("{} ").split(", "))
            if all(_known(match[1], each) for each in elements):
                yield Key(place, match[1], elements)


def _known(selector: str, element: str) -> bool:
    read = _TYPES[selector][1]
    return _PLAIN.fullmatch(element) is not None if read is None else read(element) is not None


class Apart:
    """Values of one selector of which no packet has two."""

    def __init__(self, selector: str) -> None:
        self._read = _TYPES[selector][1]
        self._names: set[str] = set()
        self._spans: list[Span] = []

    def add(self, elements: Iterable[str]) -> bool:
        """Whether they share none with those before."""
        return all(map(self._add, elements))

    def _add(self, element: str) -> bool:
        span = None if self._read is None else self._read(element)
        if span is None:
            new = element not in self._names
            self._names.add(element)
            return new
        place = bisect_left(self._spans, span)
        beside = self._spans[max(place - 1, 0) : place + 1]
        self._spans.insert(place, span)
        return not any(low <= span[1] and span[0] <= high for low, high in beside)
