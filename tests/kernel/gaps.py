"""What ``reach`` leaves out, so that a witness of it may fail: each gap is a test of its own.

What is left is an accident of the kernel, which ``test_regressions`` shows, and that reach says so.
"""

from __future__ import annotations

from iptlint.packets.packet import Packet
from tests.kernel.wire import is_fragment


def gap(witness: Packet) -> str | None:
    """Why the witness may not have matched; None where it should have."""
    if is_fragment(witness):
        return "a later fragment: nft reads its ports all the same, or defragments without need"
    return None
