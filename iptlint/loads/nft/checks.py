"""What nft and nf_tables look at: a row for each check."""

from __future__ import annotations

from iptlint.loads.refusal import Check, Stage

SYNTAX = Check("syntax", Stage.READING, "syntax error", "src/parser_bison.y")
