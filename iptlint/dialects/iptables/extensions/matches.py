"""Every match, and the one that has no test: comment."""

from __future__ import annotations

from iptlint.dialects.iptables.extensions import (
    conntrack,
    extension_headers,
    header_matches,
    limits,
    out_of_tree,
    payload_matches,
    sets,
    sockets,
    stateful,
    transport_matches,
    uninterpreted,
    values,
)
from iptlint.dialects.iptables.extensions.builders import opt, row, value_of
from iptlint.dialects.iptables.extensions.row import Extension, ExtensionResult

LONGEST_COMMENT = 255
"""In bytes."""

COMMENT = row(
    "comment",
    opt("comment", values.up_to(LONGEST_COMMENT, "comment", empty=True), req=True),
    lower=lambda uses, _: ExtensionResult(comment=str(value_of(uses, "comment"))),
)

ROWS: tuple[Extension, ...] = (
    COMMENT,
    *transport_matches.ROWS,
    *header_matches.ROWS,
    *conntrack.ROWS,
    *extension_headers.ROWS,
    *uninterpreted.ROWS,
    *sockets.ROWS,
    sets.MATCH,
    *payload_matches.ROWS,
    *limits.ROWS,
    *stateful.ROWS,
    *out_of_tree.ROWS,
)
