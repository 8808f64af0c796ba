"""What has to hold for a piece of a template to be there at all.

What `{% if … %}` and its like enclose is in the file only under that condition, and what stands
behind `{% else %}` only otherwise. A loop may bring its body once, several times or never.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.placeholders import is_template, without_template_comments
from iptlint.dialects.reading import Reading
from iptlint.model import Chain, Decided, Rule, Table, Verdict, VerdictKind
from iptlint.source import SourceFile

_TAG = re.compile(
    r"\{%(?P<jinja>(?:[^%{]|%(?!\})|\{(?!%))+)%\}|<%(?![=#])(?P<erb>(?:[^%<]|%(?!>)|<(?!%))+)%>"
    r"|%\{(?P<terraform>[^{}]+)\}|(?<!\{)\{\{(?P<go>[^{}]+)\}\}(?!\})"
)
_WORD = re.compile(r"(?:\} *)?(?:else +if\b|[A-Za-z]\w*)?")
_OPENS_BLOCK = re.compile(r"(?:\bdo\b *(?:\|[^|]*\|)?|\{)$")
_BLANKED = re.compile(r"[^\n]")

_BRINGS = frozenset({"include", "extends", "call", "filter", "template", "yield"})
"""The words of tags that may bring text of their own."""
_PIECES = ("`macro ", "`define ")
_MAY_HAVE_TAGS = re.compile(r"\{%|<%|%\{|\{\{")
_OPENS = {
    "jinja": frozenset({"if", "for", "macro", "call"}),
    "terraform": frozenset({"if", "for"}),
    "erb": frozenset({"if", "unless", "case", "while"}),
    "go": frozenset({"if", "range", "with", "define", "block"}),
}
"""The words that begin what may not be there."""
_ASKS = frozenset({"if", "unless", "elif", "else if", "elsif", "} elsif", "} else if"})
"""Those that ask something which is true or not."""
_ELSE = frozenset({*_ASKS, "else", "when", "} else"}) - {"if", "unless"}
_CLOSES = frozenset({"endif", "endfor", "endmacro", "endcall", "end", "}"})


class _Tag(NamedTuple):
    """``word``: what it begins with. ``said``: all of it."""

    start: int
    end: int
    word: str
    said: str
    opens: bool

    @property
    def is_control(self) -> bool:
        return self.opens or self.word in _ELSE or self.word in _CLOSES


@dataclass(slots=True)
class _Block:
    """What was opened. ``asks``: its branches exclude each other; ``others``: that it is none of
    those before, ``truth``: that it is this one."""

    asks: bool
    truth: tuple[Decided, ...]
    others: tuple[Decided, ...] = ()


@dataclass(slots=True)
class Conditions:
    """From which offsets of a text on which conditions hold. ``fit``: its tags fit together."""

    fit: bool = True
    tags: list[_Tag] = field(default_factory=list)
    _starts: list[int] = field(default_factory=lambda: [0])
    _truths: list[tuple[Decided, ...]] = field(default_factory=lambda: [()])
    _blocks: list[_Block] = field(default_factory=list)
    _keys: dict[tuple[str, int], str] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)
    _state: int = 0

    def at(self, offset: int) -> tuple[Decided, ...]:
        return self._truths[bisect_right(self._starts, offset) - 1]

    def is_piece(self, offset: int) -> bool:
        """Whether it is of a macro, whose text stands somewhere else, behind other text."""
        return any(truth.key.startswith(_PIECES) for truth in self.at(offset))

    def read(self, tags: Iterable[_Tag]) -> Conditions:
        for tag in tags:
            if not tag.is_control:
                self._state += 1  # what it sets is asked below
            elif tag.opens:
                asks = tag.word in _ASKS and all(block.asks for block in self._blocks)
                self._blocks.append(_Block(asks, self._truth(tag, asks=asks)))
            elif not self._blocks:
                self.fit = False
            elif tag.word in _CLOSES:
                self._blocks.pop()
            else:
                self._go_on(self._blocks[-1], tag)
            self._starts.append(tag.end)
            self._truths.append(tuple(t for b in self._blocks for t in (*b.others, *b.truth)))
            self.tags.append(tag)
        self.fit = self.fit and not self._blocks
        return self

    def _go_on(self, block: _Block, tag: _Tag) -> None:
        """With the next branch. Of a loop each may be there, one in one round."""
        if block.asks:
            block.others += tuple(replace(t, negated=not t.negated) for t in block.truth)
        block.truth = self._truth(tag, asks=block.asks) if tag.word in _ASKS else ()
        if not (block.asks or block.truth):
            block.truth = self._truth(tag, asks=False)

    def _truth(self, tag: _Tag, *, asks: bool) -> tuple[Decided, ...]:
        """What is asked again, where nothing was set, is one thing; of loops it never is."""
        self._state += not asks
        said = tag.said.removeprefix(tag.word).strip() if asks else tag.said
        key = self._keys.get((said, self._state))
        if key is None:
            count = self._counts[said] = self._counts.get(said, 0) + 1
            key = f"`{said}`" if count == 1 else f"`{said}` ({count})"
            self._keys[said, self._state] = key
        return (Decided(key, negated=tag.word == "unless"),)


def with_conditions(reading: Reading) -> Reading:
    """With what a template asks as tests of the rules that are there only then."""
    ruleset = reading.ruleset
    found = conditions(ruleset.source)
    if found is None:
        return reading
    tables = tuple(_conditional(table, ruleset.source, found) for table in ruleset.tables)
    told = (d for d in reading.diagnostics if not _is_of_piece(d, ruleset.source, found))
    return replace(reading, ruleset=replace(ruleset, tables=tables), diagnostics=tuple(told))


def _is_of_piece(diagnostic: Diagnostic, source: SourceFile, found: Conditions) -> bool:
    """Whether it is a mistake only where the text stands, which is not where it will."""
    is_here = diagnostic.source is None or diagnostic.source is source
    return is_here and diagnostic.severity != "info" and found.is_piece(diagnostic.start)


def conditions(source: SourceFile) -> Conditions | None:
    """Those of the text; None where it has none, or they do not fit together."""
    tags = list(_tags(source))
    if not tags:
        return None
    found = Conditions().read(tags)
    return found if found.fit else None


def text_to_read(source: SourceFile) -> str:
    """The text of a template with blanks for its comments, and for the lines that have nothing but
    tags which only say what is there: to a language they would be mistakes."""
    text = without_template_comments(source)
    found = conditions(source) if is_template(source) else None
    silent = [tag for tag in found.tags if tag.word not in _BRINGS] if found is not None else []
    pieces, position = list[str](), 0
    for tag in silent:
        pieces += (text[position : tag.start], _BLANKED.sub(" ", text[tag.start : tag.end]))
        position = tag.end
    if not silent:
        return text
    blanked = "".join((*pieces, text[position:])).split("\n")
    lines = zip(blanked, text.split("\n"), strict=True)
    return "\n".join(line if blank.strip() else blank for blank, line in lines)


def _tags(source: SourceFile) -> Iterator[_Tag]:
    """Go's, which are written as values are, where no others are."""
    if not _MAY_HAVE_TAGS.search(source.text):
        return
    plain = without_template_comments(source)
    is_go = "{%" not in plain
    for match in _TAG.finditer(plain):
        style = match.lastgroup or ""
        said = " ".join(match[style].strip("-+~ \t\r\n").split())
        if style == "go" and not is_go:
            continue
        found = _WORD.match(said)
        word = found[0] if found else ""
        opens = word in _OPENS[style] or (style == "erb" and _is_block(said))
        tag = _Tag(match.start(), match.end(), word, said, opens)
        if tag.is_control or style != "go" or "=" in said:
            yield tag


def _is_block(said: str) -> bool:
    return _OPENS_BLOCK.search(said) is not None and not said.startswith("}")


def _conditional(table: Table, source: SourceFile, found: Conditions) -> Table:
    chains = {name: _of_chain(chain, table, source, found) for name, chain in table.chains.items()}
    return replace(table, chains=chains)


def _of_chain(chain: Chain, table: Table, source: SourceFile, found: Conditions) -> Chain:
    """A policy of one branch is not known: another may give another."""
    rules = tuple(_of_rule(rule, source, found) for rule in chain.rules)
    policy = chain.policy
    if policy is not None and chain.origin is not None and table.origin is not None:
        here, there = (found.at(o.span.start) for o in (chain.origin, table.origin))
        if here != there and chain.origin.span.source is source:
            policy = Verdict(VerdictKind.UNKNOWN, policy.name)
    return replace(chain, rules=rules, policy=policy)


def _of_rule(rule: Rule, source: SourceFile, found: Conditions) -> Rule:
    span = rule.origin.span
    truths = found.at(span.start) if span.source is source else ()
    return replace(rule, matches=(*rule.matches, *truths)) if truths else rule
