"""What a script hands to nft: one text, of all its commands so far, carried out as one file.

``nft`` run five times does what a file with the five commands does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from iptlint.dialects.diagnostics import Diagnostic, SyntaxDiagnostic
from iptlint.dialects.files import Files
from iptlint.dialects.script.empty_values import VALUES, refusal
from iptlint.dialects.script.generated_text import (
    Condition,
    Conditions,
    GeneratedOrigin,
    GeneratedText,
    TextPart,
    text_of_parts,
    together,
)
from iptlint.dialects.script.symbolic_text import WHOLE
from iptlint.dialects.script.tables import doubtful
from iptlint.dialects.script.truths import doubt, opposite
from iptlint.model import Chain, Family, Named, Rule, Table, Verdict, VerdictKind
from iptlint.source import Origin, SourceFile

_FLUSH = re.compile(r"(?:^|[;\n])[ \t]*flush[ \t]+ruleset[ \t]*(?=$|[;\n#])")
_EMPTY_TABLE = re.compile(
    r"(?:\badd[ \t]+|\bcreate[ \t]+)table(?:[ \t]+[\w.-]+){1,2}[ \t]*(?=[;\n]|\Z)"
)
"""What makes a table of no rules."""

_TAKES_CHAINS = re.compile(r"(?:^|[;\n])[ \t]*(?:delete|destroy)[ \t]+(?:table|chain)\b")
_TAKES_AWAY = re.compile(r"(?:^|(?<=[;\n]))[ \t]*(?:flush|delete|destroy)[ \t]+[^;\n{}#]*")
_ACCEPT = Verdict(VerdictKind.ACCEPT, "accept")


@dataclass(frozen=True, slots=True, eq=False)
class NftPiece:
    """A text for nft: its parts with where each comes from, and whether as it is. ``filled``: the
    text as if nobody knew the values that it lacks, if it does."""

    parts: tuple[TextPart, ...]
    conditions: Conditions = ()
    filled: str = ""

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts)

    @property
    def flushes(self) -> bool:
        """Whether it empties the whole ruleset, that of iptables-nft too."""
        return _FLUSH.search(self.text) is not None

    def speaks_of(self, family: Family) -> bool:
        """Whether it names tables of the family, or those of all, and does more than make them.
        What it includes may."""
        named = rf"\b(?:{family.value}|{Family.INET.value}|include)\b"
        return self.flushes or re.search(named, _EMPTY_TABLE.sub("", self.text)) is not None

    def taken_back(self) -> Condition | None:
        """What has to hold for rules before it to be there still, where it takes some away only if
        its conditions hold: those of which it is not known whether it means them may be there."""
        truth = together(self.conditions)
        if truth is None or not _TAKES_AWAY.search(self.text):
            return None
        condition = self.conditions[-1]
        still = opposite(truth) if self.flushes else doubt(f"still there: {condition.text}")
        keeps_chains = not self.flushes and not _TAKES_CHAINS.search(self.text)
        return Condition(condition.opposite().text, condition.span, still, keeps_chains)

    def adding(self) -> NftPiece:
        """The same without what takes something away."""
        gone = {i for taken in _TAKES_AWAY.finditer(self.text) for i in range(*taken.span())}
        parts, at = [], 0
        for part in self.parts:
            kept = "".join(c for i, c in enumerate(part.text, at) if i not in gone)
            parts.append(part._replace(text=kept, exact=part.exact and kept == part.text))
            at += len(part.text)
        return replace(self, parts=tuple(parts))


@dataclass(frozen=True, slots=True, eq=False)
class NftResult:
    tables: tuple[Table, ...] = ()
    defines: tuple[Named, ...] = ()
    flush: Origin | None = None
    diagnostics: tuple[Diagnostic, ...] = ()


class NftState:
    """The commands so far. ``files`` are those that they may include."""

    def __init__(self, path: str, files: Files, pieces: tuple[NftPiece, ...] = ()) -> None:
        self.path = path
        self.files = files
        self.pieces = pieces
        self._result: NftResult | None = None if pieces else NftResult()

    def with_piece(self, piece: NftPiece) -> NftState:
        return NftState(self.path, self.files, (*self.pieces, piece))

    def result(self) -> NftResult:
        if self._result is None:
            self._result = self._read()
        return self._result

    def _read(self) -> NftResult:
        from iptlint.dialects.nft.execute import execute
        from iptlint.dialects.nft.lower import lower
        from iptlint.dialects.nft.parser import parse

        generated = self._text()
        file = parse(generated.source, self.files)
        ruleset, diagnostics = lower(execute(file), generated.source, "nft")
        relocation = _Relocation(generated, self._lacking(generated, file.diagnostics))
        syntax = (
            Diagnostic(p.code, "error", p.start, p.end, p.message, p.hint or "", p.source)
            for p in file.diagnostics
        )
        return NftResult(
            tuple(map(relocation.table, ruleset.tables)),
            tuple(map(relocation.named, ruleset.defines)),
            relocation.perhaps(ruleset.flush),
            tuple(_first_of_each(map(relocation.diagnostic, (*syntax, *diagnostics)))),
        )

    def _lacking(
        self, generated: GeneratedText, diagnostics: Iterable[SyntaxDiagnostic]
    ) -> frozenset[int]:
        """Where the lines start that nft would read if they had the values that they lack."""
        from iptlint.dialects.nft.parser import parse

        broken = _lines(diagnostics)
        if not broken or not any(piece.filled for piece in self.pieces):
            return frozenset()
        read: set[int] = set()
        for value in VALUES:
            texts = (WHOLE.sub(value, piece.filled) or piece.text for piece in self.pieces)
            source = SourceFile(self.path, "".join(f"{text}\n" for text in texts))
            read |= broken - _lines(parse(source, self.files).diagnostics)
        return frozenset(generated.source.line_span(line).start for line in read)

    def _text(self) -> GeneratedText:
        parts: list[TextPart] = []
        conditions: list[Conditions] = []
        for piece in self.pieces:
            still = piece.taken_back()
            if still is not None:
                conditions = [(*each, still) for each in conditions]
                piece = piece.adding()
            parts += piece.parts
            parts.append(TextPart("\n", piece.parts[-1].span))
            conditions += [(*part.conditions, *piece.conditions) for part in piece.parts]
            conditions.append(piece.conditions)
        generated = text_of_parts(self.path, parts)
        pieces = zip(generated.pieces, conditions, strict=True)
        return GeneratedText(generated.source, tuple(replace(p, conditions=c) for p, c in pieces))


def _lines(diagnostics: Iterable[SyntaxDiagnostic]) -> set[int]:
    return {each.source.line_of(each.start) for each in diagnostics}


def _first_of_each(diagnostics: Iterable[Diagnostic | None]) -> Iterator[Diagnostic]:
    """What nft says of a command it says once: what follows the first mistake comes of it."""
    broken = set()
    for diagnostic in filter(None, diagnostics):
        place = (diagnostic.source, diagnostic.start)
        if diagnostic.code != "IPT001" or place not in broken:
            yield diagnostic
        if diagnostic.code == "IPT001":
            broken.add(place)


class _Relocation:
    """Puts the places in the script into what was read from the generated text."""

    def __init__(self, generated: GeneratedText, lacking: frozenset[int]) -> None:
        self.generated = generated
        self.lacking = lacking
        self.origins: dict[Origin, GeneratedOrigin] = {}
        self.conditional = any(piece.conditions for piece in generated.pieces)

    def perhaps(self, origin: Origin | None) -> Origin | None:
        return None if origin is None else self.origin(origin)

    def origin(self, origin: Origin) -> Origin:
        """The same one for the same one: rules that are parts of a statement share it."""
        known = self.origins.get(origin)
        if known is None:
            known = self.origins[origin] = GeneratedOrigin(self.generated, origin)
        return known

    def table(self, table: Table) -> Table:
        chains = {name: self.chain(chain) for name, chain in table.chains.items()}
        sets = tuple(map(self.named, table.sets))
        return replace(table, chains=chains, origin=self.perhaps(table.origin), sets=sets)

    def named(self, named: Named) -> Named:
        return replace(named, origin=self.origin(named.origin))

    def chain(self, chain: Chain) -> Chain:
        rules = tuple(map(self.rule, chain.rules))
        chain_in_script = replace(chain, rules=rules, origin=self.perhaps(chain.origin))
        conditions = self._conditions(chain.origin)
        condition = together(each for each in conditions if not each.of_rules)
        if condition is None or chain.policy is None or chain.origin is None:
            return chain_in_script
        # The chain may not be there at all, and what it would drop goes on then.
        origin = self.origin(chain.origin)
        last = Rule(origin, (condition,), chain.policy)
        return replace(chain_in_script, rules=(*rules, last), policy=_ACCEPT)

    def rule(self, rule: Rule) -> Rule:
        origin = self.origin(rule.origin)
        assert origin is not None
        condition = together(self._conditions(rule.statement))
        rule_in_script = replace(rule, origin=origin, whole=self.perhaps(rule.whole))
        return rule_in_script if condition is None else doubtful(rule_in_script, condition)

    def _conditions(self, origin: Origin | None) -> Conditions:
        if (
            not self.conditional
            or origin is None
            or origin.span.source is not self.generated.source
        ):
            return ()
        return self.generated.conditions(origin.span.start)

    def diagnostic(self, diagnostic: Diagnostic) -> Diagnostic | None:
        """What stands where something unknown is, is no mistake of the script's."""
        source: SourceFile | None = diagnostic.source
        if source is not None and source is not self.generated.source:
            return diagnostic
        line = self.generated.source.line_span(self.generated.source.line_of(diagnostic.start))
        around = self.generated.source.text[line.start : max(line.end, diagnostic.end)]
        if "\0" in around:
            return None
        told = self.generated.in_script(diagnostic)
        if diagnostic.code != "IPT001" or line.start not in self.lacking:
            return told
        empty = self.generated.empty(line.start, line.end)
        return refusal(empty, told, empty[0]) if empty else told
