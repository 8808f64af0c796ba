"""Targets of xtables-addons that end a packet in a way of their own, as their manual has it."""

from __future__ import annotations

from typing import NamedTuple

from iptlint.model import Verdict


class Held(NamedTuple):
    """``does`` to packets; what has become of them."""

    does: str
    done: str


_TARPIT = Held(
    "lets hang (TARPIT opens the connection, and takes no data)",
    "left hanging by TARPIT",
)
_WAYS = {
    "TARPIT": _TARPIT,
    "TARPIT --tarpit": _TARPIT,
    "TARPIT --honeypot": Held(
        "lets hang (TARPIT opens the connection, and answers nothing)", "left hanging by TARPIT"
    ),
    "TARPIT --reset": Held("answers with resets (TARPIT)", "answered with resets"),
    "DELUDE": Held("deludes (DELUDE answers SYNs as if it listened)", "deluded by DELUDE"),
    "ECHO": Held("sends back (ECHO)", "sent back"),
    "MIRROR": Held("sends back (MIRROR)", "sent back"),
}


def held(verdict: Verdict) -> Held | None:
    return _WAYS.get(verdict.meaning)
