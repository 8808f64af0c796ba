"""Lost errors about too big packets, in words: who drops them, and what lets them through."""

from __future__ import annotations

from iptlint.analysis.icmp_errors import FRAGMENTATION_NEEDED, PACKET_TOO_BIG, Loss
from iptlint.findings import suggestions
from iptlint.findings.acceptance import acceptance
from iptlint.findings.fix import Change, Fix
from iptlint.model import Field, Match, VerdictKind, Within
from iptlint.model.matches import CT_STATES
from iptlint.model.syntax import Suggestion

_ACCEPTING = {
    FRAGMENTATION_NEEDED: Suggestion(
        "-p icmp -m icmp --icmp-type 3/4 -j ACCEPT", "icmp type destination-unreachable accept"
    ),
    PACKET_TOO_BIG: Suggestion(
        "-p ipv6-icmp -m icmp6 --icmpv6-type 2 -j ACCEPT", "icmpv6 type packet-too-big accept"
    ),
}
_HANGING = {
    FRAGMENTATION_NEEDED: "large transfers hang on paths with a smaller MTU",
    PACKET_TOO_BIG: "large transfers over IPv6 hang",
}


def message(loss: Loss) -> str:
    return (
        f"{loss.error.name} are lost in {loss.chain}: {loss.share.name} {loss.share.does} them, "
        f"so that {_HANGING[loss.error]}"
    )


def fix(loss: Loss) -> Fix | None:
    """All such errors are accepted, or all that is related where that is what is missing."""
    error = loss.error
    tests: tuple[Match, ...] = (
        Within(Field.PROTO, ((error.protocol, error.protocol),)),
        Within(Field.ICMP_TYPE, ((error.type, error.type),)),
    )
    if loss.by_state:
        related = CT_STATES.index("related")
        tests = (Within(Field.CT_STATE, ((related, related),)),)
    change = Change(VerdictKind.ACCEPT, (loss.hook,), (tests,))
    accept = suggestions.RELATED if loss.by_state else _ACCEPTING[loss.error]
    return acceptance(loss.share, loss.hook, [accept], change)


def advice(loss: Loss) -> str:
    accept = suggestions.RELATED if loss.by_state else _ACCEPTING[loss.error]
    return suggestions.first(loss.share, loss.chain, accept)
