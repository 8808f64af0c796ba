"""What ``reach`` leaves out, so that a witness of it may fail: each gap is a test of its own.

``test_regressions`` has a test of every gap that fails as long as the gap is there; then its
line here has to go too, and the judge becomes stricter.
"""

from __future__ import annotations

from iptlint.packets.packet import Packet
from tests.kernel.wire import is_fragment


def gap(witness: Packet) -> str | None:
    """Why the witness may not have matched; None where it should have."""
    if is_fragment(witness):
        return "a later fragment: nft reads its ports all the same, or defragments without need"
    return None
