"""Lost errors about too big packets, in words: who drops them, and what lets them through."""

from __future__ import annotations

from iptlint.analysis.icmp_errors import FRAGMENTATION_NEEDED, PACKET_TOO_BIG, Loss
from iptlint.findings import suggestions
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


def advice(loss: Loss) -> str:
    accept = suggestions.RELATED if loss.by_state else _ACCEPTING[loss.error]
    return suggestions.first(loss.share, loss.chain, accept)
