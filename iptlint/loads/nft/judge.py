"""What ``nft -f`` does with a file: it reads all of it, evaluates all of it, and hands it to the
kernel, which takes all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iptlint.dialects import Reading
from iptlint.dialects.diagnostics import SyntaxDiagnostic
from iptlint.dialects.nft.tree import NftFile
from iptlint.loads.nft.checks import SYNTAX
from iptlint.loads.refusal import Load, Refusal, in_order
from iptlint.source import Span


def judge(reading: Reading, before: Sequence[Reading]) -> Load:
    assert isinstance(reading.tree, NftFile)
    return Load(reading.ruleset.source, "nft -f", in_order(_unread(reading.tree)))


def _unread(tree: NftFile) -> Iterator[Refusal]:
    for diagnostic in tree.diagnostics:
        if diagnostic.code == "IPT001":
            yield _refusal(diagnostic)


def _refusal(diagnostic: SyntaxDiagnostic) -> Refusal:
    span = Span(diagnostic.source, diagnostic.start, diagnostic.end)
    expected = f"; expected {diagnostic.expected}" if diagnostic.expected else ""
    return Refusal(span, SYNTAX, diagnostic.message + expected, diagnostic.hint or "")
