"""Texts laid out anew, and proved to say the same: the same tree, or the same rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from iptlint.dialects import Reader, Reading, read
from iptlint.dialects.detect import EMPTY, IPTABLES_S, IPTABLES_SAVE, NFT, SCRIPT
from iptlint.dialects.iptables.layout import laid_out as laid_out_iptables
from iptlint.dialects.iptables.parsing.tree import SaveFile
from iptlint.dialects.nft.layout import laid_out as laid_out_nft
from iptlint.dialects.nft.layout import tokens
from iptlint.dialects.nft.tree import NftFile
from iptlint.model import Rule, Ruleset
from iptlint.source import SourceFile


@dataclass(frozen=True, slots=True)
class Formatted:
    """``new`` is the old source itself where nothing is to be changed. ``refused``: why it is left
    as it is."""

    old: SourceFile
    new: SourceFile
    refused: str = ""

    @property
    def changed(self) -> bool:
        return self.new.text != self.old.text


def formatted(source: SourceFile, reader: Reader) -> Formatted:
    reading = read(source, reader)
    if reading.ruleset.dialect == EMPTY:
        return Formatted(source, source)
    refused = _unreadable(reading)
    if refused:
        return Formatted(source, source, refused)
    new = SourceFile(source.path, _text(reading), source.marked)
    objection = _objection(reading, read(new, reader))
    return Formatted(source, source, objection) if objection else Formatted(source, new)


def _unreadable(reading: Reading) -> str:
    dialect = reading.ruleset.dialect
    if dialect == SCRIPT:
        return "a script is left as it is: where a shell's words may be broken is for its author"
    if dialect not in (NFT, IPTABLES_SAVE, IPTABLES_S):
        return f"only nft and iptables-save have a layout, and this is neither ({dialect})"
    source = reading.ruleset.source
    for diagnostic in reading.diagnostics:
        if diagnostic.code in ("IPT001", "IPT010"):
            line = (diagnostic.source or source).line_of(diagnostic.start)
            return f"line {line} cannot be read: {diagnostic.message}"
    return ""


def _text(reading: Reading) -> str:
    match reading.tree:
        case SaveFile() as tree:
            return laid_out_iptables(tree).text
        case _:
            return laid_out_nft(reading.ruleset.source.text)


def _objection(old: Reading, new: Reading) -> str:
    """Why the new text is not to be trusted; nothing is the proof."""
    if [*_said(old)] != [*_said(new)]:
        return "its new layout would be read otherwise; please report it"
    match old.tree, new.tree:
        case NftFile() as before, NftFile() as after:
            same = before.items == after.items and _comments(old) == _comments(new)
        case _:
            same = rules_of(old.ruleset) == rules_of(new.ruleset)
    return "" if same else "its new layout would say something else; please report it"


def _said(reading: Reading) -> Iterator[tuple[str, str]]:
    return ((diagnostic.code, diagnostic.message) for diagnostic in reading.diagnostics)


def _comments(reading: Reading) -> list[str]:
    text = reading.ruleset.source.text
    return [token.text.rstrip() for token in tokens(text) if token.kind == "comment"]


def rules_of(ruleset: Ruleset) -> list[object]:
    """All that a file says, in its order; the tests of a rule in any, as the kernel asks for those
    of the core first."""
    return [
        (
            table.family,
            table.name,
            chain.name,
            chain.policy,
            chain.counters,
            [_rule(rule) for rule in chain.rules],
        )
        for table in ruleset.tables
        for chain in table.chains.values()
    ]


def _rule(rule: Rule) -> object:
    tests = Counter(rule.matches)
    return tests, rule.verdict, rule.effects, rule.comment, rule.counters, rule.copies, rule.read
