"""Tables of iptables as tables of nft: one of family inet where both families have it, else one of
the family that has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from iptlint.convert.asking import Asking, Declarations
from iptlint.convert.helpers import says_helper, with_copies
from iptlint.convert.idle import asks_for_rates, what_is_missing
from iptlint.convert.recent import lists
from iptlint.convert.rendering import NewChain, NewTable, Part, Rendering, State, Words
from iptlint.convert.rule import GO_ROUND, uses_of, written
from iptlint.convert.runs import merged
from iptlint.dialects.nft.writing.values import NoFormError, identifier
from iptlint.model import Chain, Family, Rule, Ruleset, Table
from iptlint.model.sets import SavedSets

_MOST_ALIGNED = 1500
"""Rules of a chain: longer ones are not looked through for what both families say."""


def tables(
    rulesets: Sequence[Ruleset], sets: SavedSets | None, *, apart: bool = False
) -> list[NewTable]:
    """The tables that have anything to say, as nft has them. ``apart``: no rule stands for
    several."""
    by_name: dict[str, dict[Family, Table]] = {}
    for ruleset in rulesets:
        for table in ruleset.tables:
            by_name.setdefault(table.name, {})[table.family] = table
    estimated = asks_for_rates(rulesets)
    made = (
        each
        for olds in by_name.values()
        for each in _tables_of(olds, sets, apart=apart, estimated=estimated)
    )
    return [table for table in made if table.chains]


def _tables_of(
    olds: Mapping[Family, Table], sets: SavedSets | None, *, apart: bool, estimated: bool
) -> Iterator[NewTable]:
    together = len(olds) > 1 and _go_together(olds)
    for each in (olds,) if together else ({family: table} for family, table in olds.items()):
        yield _Maker(each, sets, apart=apart, estimated=estimated).made()


def _go_together(olds: Mapping[Family, Table]) -> bool:
    """Whether the base chains of both have one policy, so that one chain can be both."""
    one, other = olds.values()
    same = all(
        _kind(chain) == _kind(other.chains[name])
        for name, chain in one.chains.items()
        if chain.hook is not None and name in other.chains
    )
    longest = max(len(chain.rules) for table in olds.values() for chain in table.chains.values())
    return same and longest <= _MOST_ALIGNED


def _kind(chain: Chain) -> object:
    return chain.policy and chain.policy.kind


def is_needed(chain: Chain) -> bool:
    """A base chain that is empty and lets everything go on does nothing."""
    if chain.hook is None:
        return True
    return bool(chain.rules) or chain.policy is None or not chain.policy.kind.passes


class _Maker:
    """Makes one table."""

    def __init__(
        self, olds: Mapping[Family, Table], sets: SavedSets | None, *, apart: bool, estimated: bool
    ) -> None:
        self.estimated = estimated
        self.copies = {family: with_copies(table) for family, table in olds.items()}
        self.olds = olds = {family: copies.table for family, copies in self.copies.items()}
        self.apart = apart
        self.sets = sets
        self.joint = len(olds) > 1
        self.declarations = Declarations()
        self.recents = {
            family: lists(u for _, rule in table.rules() for u in uses_of(rule, "recent"))
            for family, table in olds.items()
        }
        # The names of sets and those of chains are apart in nft, but for people.
        everywhere = [chain for table in olds.values() for chain in table.chains.values()]
        base = {chain.name: chain.name.lower() for chain in everywhere if chain.hook is not None}
        self.names = base
        self.taken = set(base.values())
        for chain in everywhere:
            if chain.name not in self.names:
                self.names[chain.name] = identifier(chain.name, self.taken)

    def made(self) -> NewTable:
        family = "inet" if self.joint else next(iter(self.olds)).value
        name = next(iter(self.olds.values())).name
        order = dict.fromkeys(name for table in self.olds.values() for name in table.chains)
        chains = [self._chain(each) for each in order]
        kept = [chain for chain in chains if any(map(is_needed, chain.olds.values()))]
        bodies = self.declarations.bodies
        table_name = identifier(name, set())
        meanings = self.declarations.meanings
        return NewTable(family, table_name, self.olds, kept, bodies, meanings)

    def _chain(self, name: str) -> NewChain:
        olds = {f: table.chains[name] for f, table in self.olds.items() if name in table.chains}
        new = NewChain(self.names[name], olds)
        new.again = any(name in copies.chains for copies in self.copies.values())
        if new.name != name and new.base.hook is None:
            new.renamed = name
        each = [[self._entry(f, chain, rule) for rule in chain.rules] for f, chain in olds.items()]
        entries = each[0] if not self.joint else [*_aligned(*each, *[[]][: 2 - len(each)])]
        if not self.apart:
            entries = merged(entries, self.declarations, new.name)
        new.parts = [*self._parts(new.name, entries)]
        return new

    def _parts(self, name: str, entries: Iterable[Rendering]) -> Iterator[Part]:
        """Where packets go round the rest of an entry, the rest of the chain is one of its own."""
        part = Part(name)
        for entry in entries:
            part.entries.append(entry)
            if any(GO_ROUND in line for line in entry.lines):
                part.rest = identifier(f"{name}_rest", self.taken)
                for lines in ("lines", "strict"):
                    setattr(entry, lines, _with_rest(getattr(entry, lines), part.rest))
                yield part
                part = Part(part.rest)
        yield part

    def _entry(self, family: Family, chain: Chain, rule: Rule) -> Rendering:
        copies, olds = self.copies[family], {family: (rule,)}
        if rule in copies.originals:
            self.declarations.meanings.rules[rule] = ()
            return Rendering(olds, (), elsewhere=self.names[copies.originals[rule]])
        if says_helper(rule) and copies.why_not:
            return Rendering(olds, (), state=State.NOT_CONVERTED, reason=copies.why_not)
        asking = Asking(
            family,
            None,
            self.olds[family].name,
            chain,
            self.declarations,
            self.sets,
            self.recents[family],
            joint=self.joint,
            tracked=rule in copies.setting,
        )
        try:
            new = written(rule, asking, self.names)
        except NoFormError as error:
            missing = what_is_missing(rule, estimated=self.estimated)
            if missing is None:
                return Rendering(olds, (), state=State.NOT_CONVERTED, reason=str(error))
            reason = f"{error}; nothing but {missing} is missing"
            return Rendering(olds, (), state=State.LEFT_OUT, reason=reason)
        sides = (new.lines, new.strict)
        if rule in copies.setting:
            sides = (_of_new(new.lines), _of_new(new.strict))
        return Rendering(olds, *sides, new.comment, new.counts)


def _of_new(lines: tuple[Words, ...]) -> tuple[Words, ...]:
    """For the packets that begin a connection."""
    return tuple((*line[:-1], "ct state new", line[-1]) for line in lines)


def _with_rest(lines: tuple[Words, ...], rest: str) -> tuple[Words, ...]:
    return tuple(
        tuple(f"goto {rest}" if word == GO_ROUND else word for word in line) for line in lines
    )


# -- both families ------------------------------------------------------------------------------


def _aligned(one: Sequence[Rendering], other: Sequence[Rendering]) -> Iterator[Rendering]:
    """What both say once, and what only one of them says for its packets alone."""
    keys = [[_said(entry) for entry in entries] for entries in (one, other)]
    matcher = SequenceMatcher(None, keys[0], keys[1], autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            pairs = zip(one[i1:i2], other[j1:j2], strict=True)
            yield from (_both(a, b) for a, b in pairs)
        else:
            yield from map(_alone, (*one[i1:i2], *other[j1:j2]))


def _said(entry: Rendering) -> object:
    """What has to be equal; what is not converted is equal to nothing, nor is what counts: each
    family has counts of its own."""
    if entry.counts or not entry.lines:
        return object()
    return entry.lines, entry.comment


def _both(one: Rendering, other: Rendering) -> Rendering:
    strict = one.strict if one.strict == other.strict else one.lines
    return Rendering({**one.olds, **other.olds}, one.lines, strict, one.comment)


_GUARDS = {Family.IP: "meta nfproto ipv4", Family.IP6: "meta nfproto ipv6"}


def _alone(entry: Rendering) -> Rendering:
    (family,) = entry.olds
    entry.lines = tuple(_guarded(line, family) for line in entry.lines)
    entry.strict = tuple(_guarded(line, family) for line in entry.strict)
    return entry


def _guarded(words: Words, family: Family) -> Words:
    """What names the header of its family says so."""
    if any(word.startswith(f"{family.value} ") for word in words):
        return words
    return (_GUARDS[family], *words)
