"""What a script hands to nft: one text, of all its commands so far, carried out as one file.

``nft`` run five times does what a file with the five commands does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.files import Files
from iptlint.dialects.script.generated_text import Conditions, Made, MadeOrigin, of_spans
from iptlint.dialects.script.tables import doubt, doubtful
from iptlint.model import Chain, Named, Rule, Table, Verdict, VerdictKind
from iptlint.source import Origin, SourceFile, Span

_FLUSH = re.compile(r"(?:^|[;\n])[ \t]*flush[ \t]+ruleset[ \t]*(?=$|[;\n#])")
_ACCEPT = Verdict(VerdictKind.ACCEPT, "accept")


@dataclass(frozen=True, slots=True, eq=False)
class NftPiece:
    """A text for nft: its parts with where each comes from, and whether as it is."""

    parts: tuple[tuple[str, Span, bool], ...]
    conditions: Conditions = ()

    @property
    def text(self) -> str:
        return "".join(text for text, _, _ in self.parts)

    @property
    def flushes(self) -> bool:
        """Whether it empties the whole ruleset, that of iptables-nft too."""
        return _FLUSH.search(self.text) is not None


@dataclass(frozen=True, slots=True, eq=False)
class NftMade:
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
        self._made: NftMade | None = None if pieces else NftMade()

    def with_piece(self, piece: NftPiece) -> NftState:
        return NftState(self.path, self.files, (*self.pieces, piece))

    def made(self) -> NftMade:
        if self._made is None:
            self._made = self._read()
        return self._made

    def _read(self) -> NftMade:
        from iptlint.dialects.nft.execute import execute
        from iptlint.dialects.nft.lower import lower
        from iptlint.dialects.nft.parser import parse

        made = self._text()
        file = parse(made.source, self.files)
        ruleset, diagnostics = lower(execute(file), made.source, "nft")
        written = _Written(made)
        syntax = (
            Diagnostic(p.code, "error", p.start, p.end, p.message, p.hint or "", p.source)
            for p in file.diagnostics
        )
        return NftMade(
            tuple(map(written.table, ruleset.tables)),
            tuple(map(written.named, ruleset.defines)),
            written.perhaps(ruleset.flush),
            tuple(
                p for each in (*syntax, *diagnostics) if (p := written.diagnostic(each)) is not None
            ),
        )

    def _text(self) -> Made:
        parts: list[tuple[str, Span, bool]] = []
        conditions: list[Conditions] = []
        for piece in self.pieces:
            parts += piece.parts
            parts.append(("\n", piece.parts[-1][1], False))
            conditions += [piece.conditions] * (len(piece.parts) + 1)
        made = of_spans(self.path, parts)
        pieces = zip(made.pieces, conditions, strict=True)
        return Made(made.source, tuple(replace(p, conditions=c) for p, c in pieces))


class _Written:
    """Puts the places in the script into what was read from the made text."""

    def __init__(self, made: Made) -> None:
        self.made = made
        self.origins: dict[int, tuple[Origin, MadeOrigin]] = {}
        self.conditional = any(piece.conditions for piece in made.pieces)

    def perhaps(self, origin: Origin | None) -> Origin | None:
        return None if origin is None else self.origin(origin)

    def origin(self, origin: Origin) -> Origin:
        """The same one for the same one: rules that are parts of a statement share it."""
        known = self.origins.get(id(origin))
        if known is None:
            known = self.origins[id(origin)] = (origin, MadeOrigin(self.made, origin))
        return known[1]

    def table(self, table: Table) -> Table:
        chains = {name: self.chain(chain) for name, chain in table.chains.items()}
        sets = tuple(map(self.named, table.sets))
        return replace(table, chains=chains, origin=self.perhaps(table.origin), sets=sets)

    def named(self, named: Named) -> Named:
        return replace(named, origin=self.origin(named.origin))

    def chain(self, chain: Chain) -> Chain:
        rules = tuple(map(self.rule, chain.rules))
        made = replace(chain, rules=rules, origin=self.perhaps(chain.origin))
        conditions = self._conditions(chain.origin)
        if not conditions or chain.policy is None or chain.origin is None:
            return made
        # The chain may not be there at all, and what it would drop goes on then.
        origin = self.origin(chain.origin)
        last = Rule(origin, (doubt(conditions[-1].text),), chain.policy)
        return replace(made, rules=(*rules, last), policy=_ACCEPT)

    def rule(self, rule: Rule) -> Rule:
        origin = self.origin(rule.origin)
        assert origin is not None
        conditions = self._conditions(rule.statement)
        made = replace(rule, origin=origin, whole=self.perhaps(rule.whole))
        return doubtful(made, doubt(conditions[-1].text)) if conditions else made

    def _conditions(self, origin: Origin | None) -> Conditions:
        if not self.conditional or origin is None or origin.span.source is not self.made.source:
            return ()
        return self.made.conditions(origin.span.start)

    def diagnostic(self, diagnostic: Diagnostic) -> Diagnostic | None:
        """What stands where something unknown is, is no mistake of the script's."""
        source: SourceFile | None = diagnostic.source
        if source is not None and source is not self.made.source:
            return diagnostic
        line = self.made.source.line_span(self.made.source.line_of(diagnostic.start))
        around = self.made.source.text[line.start : max(line.end, diagnostic.end)]
        if "\0" in around:
            return None
        span = self.made.span(diagnostic.start, diagnostic.end)
        return replace(diagnostic, start=span.start, end=span.end, source=span.source)
