"""Which type of ICMP a rule is about: a field that only some have demands one.

src/payload.c, payload_gen_icmp_dependency: nft adds a test of the type, unless the rule is about
another one already. src/proto.c (proto_icmp, proto_icmp6) says which field is of which type.
"""

from __future__ import annotations

from collections.abc import Iterable

from iptlint.dialects.nft import tree as t

_ECHO = {"icmp": 8, "icmpv6": 128}
_REPLY = {"icmp": 0, "icmpv6": 129}
_DEMANDED = {
    ("icmp", "id"): 8,
    ("icmp", "sequence"): 8,
    ("icmp", "gateway"): 5,
    ("icmp", "mtu"): 3,
    ("icmpv6", "id"): 128,
    ("icmpv6", "sequence"): 128,
    ("icmpv6", "mtu"): 2,
    ("icmpv6", "parameter-problem"): 4,
    ("icmpv6", "max-delay"): 130,
}


class IcmpType:
    """None as long as the rule is about no type; nft takes an answer for a request."""

    def __init__(self) -> None:
        self._type: int | None = None

    def learn(self, protocol: str, numbers: Iterable[int]) -> None:
        """Of several nft keeps the last."""
        for number in numbers:
            self._type = _ECHO[protocol] if number == _REPLY[protocol] else number

    def conflict(self, field: t.Payload) -> tuple[int, int] | None:
        """The type that the rule is about, and the one that the field demands."""
        demanded = _DEMANDED.get((field.protocol, field.field))
        if demanded is None:
            return None
        if self._type is not None and self._type != demanded:
            return self._type, demanded
        self._type = demanded
        return None
