"""One concrete packet: a witness that anyone can send."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Packet:
    """Field names are those of the JSON contract; what does not apply is None. In a question, None
    is any value, and an empty ``family`` what the rest tells.

    ``conditions`` are the tests no header field shows (``-m string …`` holds).
    """

    family: str = ""
    hook: str | None = None
    iif: str | None = None
    oif: str | None = None
    saddr: str | None = None
    daddr: str | None = None
    proto: str | None = None
    sport: int | None = None
    dport: int | None = None
    tcp_flags: tuple[str, ...] | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    ct_state: str | None = None
    mark: int | None = None
    conditions: tuple[str, ...] = ()
