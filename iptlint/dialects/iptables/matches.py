"""Every match, and the one that has no test: comment."""

from __future__ import annotations

from iptlint.dialects.iptables import addons, headers, opaque, rates, tracking, values
from iptlint.dialects.iptables.building import opt, row, value_of
from iptlint.dialects.iptables.rows import Extension, Lowered

COMMENT = row(
    "comment",
    opt("comment", values.up_to(255, "comment", empty=True), req=True),
    lower=lambda uses, _: Lowered(comment=str(value_of(uses, "comment"))),
)

ROWS: tuple[Extension, ...] = (
    COMMENT,
    *headers.ROWS,
    *tracking.ROWS,
    *opaque.ROWS,
    *rates.ROWS,
    *addons.ROWS,
)
