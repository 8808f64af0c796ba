"""How an ordinary packet fares with tests that the tool does not interpret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from iptlint.memo import memo
from iptlint.model import Field, Hook, Opaque
from iptlint.model.matches import AddressType, ReversePath, SegmentSize
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_LOCAL_AT = {Field.DADDR: Hook.INPUT, Field.SADDR: Hook.OUTPUT}
"""Where an address of the host is the usual one."""
_USUAL_SEGMENT = 1440
"""Over Ethernet 1460 in IPv4, 1440 in IPv6."""


_NO_FRAGMENT = re.compile(r"@nh,5[01],1[34] 0|@nh,32,32 & 0x(?:[123]fff|2000) == 0x0")
"""That the offset of a fragment, and the bit that says that more follow, are 0 (RFC 791)."""


def typically_holds(test: Opaque, hook: Hook | None) -> bool:
    """Whether an ordinary packet at the hook passes the test: its addresses are of the usual
    type and it takes the usual way; it is on no list and has no odd option."""
    match test.asks:
        case AddressType(field, types):
            return ("LOCAL" if hook is _LOCAL_AT[field] else "UNICAST") in types
        case SegmentSize(low, high):
            return low <= _USUAL_SEGMENT <= high
        case asks:
            return isinstance(asks, ReversePath) or _NO_FRAGMENT.fullmatch(test.key) is not None


def ordinary(space: Space, hook: Hook | None) -> PacketSet:
    """The packets that fare with all of these tests as ordinary ones do: one choice of each."""
    return _ordinary(space, hook, len(space.opaques))


@memo
def _ordinary(space: Space, hook: Hook | None, _opaques: int) -> PacketSet:
    literals = space.true
    for test, variable in space.opaques_upward():
        literals = (variable if typically_holds(test, hook) else ~variable) & literals
    return literals
