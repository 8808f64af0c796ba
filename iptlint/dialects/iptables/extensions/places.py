"""Built-in chains that options may stand in: x_tables tells a match where it is called from."""

from __future__ import annotations

from iptlint.dialects.iptables.extensions.row import ChainsFor

INCOMING = ("PREROUTING", "INPUT", "FORWARD")
OUTGOING = ("FORWARD", "OUTPUT", "POSTROUTING")
"""The chains where a packet has an interface that it came by, and one that it goes out by."""


def chains_with(**chains: tuple[str, ...]) -> ChainsFor:
    """The chains that options allow, by their names with `_` for `-`."""
    return lambda uses: next(
        (those for name, those in chains.items() if name.replace("_", "-") in uses), ()
    )
