"""How an ordinary packet fares with tests that the tool does not interpret."""

from __future__ import annotations

from iptlint.model import Hook


def typically_holds(key: str, hook: Hook | None) -> bool:
    """Whether an ordinary packet at the hook passes the test: its addresses are of the usual
    type and it takes the usual way; it is on no list and has no odd option."""
    name, *rest = key.split(" ")
    if name != "addrtype" or len(rest) < 2:
        return name == "rpfilter"
    destination = "LOCAL" if hook is Hook.INPUT else "UNICAST"
    source = "LOCAL" if hook is Hook.OUTPUT else "UNICAST"
    return (destination if rest[0] == "--dst-type" else source) in rest[1].split(",")
