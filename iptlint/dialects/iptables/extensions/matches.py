"""Every match, and the one that has no test: comment."""

from __future__ import annotations

from iptlint.dialects.iptables.extensions import (
    conntrack,
    header_matches,
    out_of_tree,
    stateful,
    uninterpreted,
    values,
)
from iptlint.dialects.iptables.extensions.builders import opt, row, value_of
from iptlint.dialects.iptables.extensions.row import Extension, Lowered

COMMENT = row(
    "comment",
    opt("comment", values.up_to(255, "comment", empty=True), req=True),
    lower=lambda uses, _: Lowered(comment=str(value_of(uses, "comment"))),
)

ROWS: tuple[Extension, ...] = (
    COMMENT,
    *header_matches.ROWS,
    *conntrack.ROWS,
    *uninterpreted.ROWS,
    *stateful.ROWS,
    *out_of_tree.ROWS,
)
