"""The protocols that packets still have behind a test of a rule."""

from __future__ import annotations

from iptlint.dialects.nft.lowering.dependencies import Context
from iptlint.dialects.nft.lowering.header_match_builders import (
    EXTENSION_HEADERS,
    EtherTypeTarget,
    FieldTarget,
    NextHeaderTarget,
    OneOfTarget,
)
from iptlint.dialects.nft.lowering.selector import LoweredSelector
from iptlint.dialects.nft.lowering.symbols import ETHER_TYPES
from iptlint.dialects.nft.lowering.values import Values
from iptlint.model import Field

_NETWORK_OF = {ETHER_TYPES[name]: name for name in ("ip", "ip6", "arp")}
_NETWORK_OF_NF_PROTO = {2: "ip", 10: "ip6"}


def restrict_protocols(selector: LoweredSelector, values: Values, context: Context) -> None:
    """A packet that goes on has one of the values."""
    if selector.view.bits is not None or not values.numbers_only:
        return
    match selector.row.target:
        case FieldTarget(Field.PROTO) | NextHeaderTarget():
            protocols = protocols_of(values)
            if protocols:
                context.restrict(protocols)
        case EtherTypeTarget(frame):
            _restrict_network(values.single, _NETWORK_OF, context, frame=frame)
        case OneOfTarget(Field.FAMILY):
            _restrict_network(values.single, _NETWORK_OF_NF_PROTO, context)


def protocols_of(values: Values) -> frozenset[int]:
    """All of them; none where one may be an extension header, behind which another stands."""
    numbers = frozenset(
        number for low, high in values.ranges for number in range(low, min(high, 255) + 1)
    )
    return frozenset() if numbers & EXTENSION_HEADERS else numbers


def _restrict_network(
    value: int | None, names: dict[int, str], context: Context, *, frame: bool = False
) -> None:
    if value is None:
        return
    if frame and value in (ETHER_TYPES["8021q"], ETHER_TYPES["8021ad"]):
        context.vlan, context.network = True, None
    elif value in names:
        context.network = names[value]
