"""Tables as the commands left them, to the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iptlint.dialects.detect import NFT, NFT_JSON
from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.nft import syntax
from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execute import ExecutionResult
from iptlint.dialects.nft.lowering import hook_restrictions
from iptlint.dialects.nft.lowering.assembly import assembled
from iptlint.dialects.nft.lowering.matches import RuleLowering
from iptlint.dialects.nft.lowering.rule_position import header
from iptlint.dialects.nft.lowering.statement_result import RuleScope
from iptlint.dialects.nft.lowering.written_state import written
from iptlint.dialects.nft.lowering.xt_compat import unprinted
from iptlint.dialects.nft.tables import OpenChain, OpenSet, OpenTable, PlacedRule
from iptlint.dialects.nft.walking import everything
from iptlint.model import (
    Chain,
    Hook,
    Named,
    Rule,
    Ruleset,
    Table,
    Verdict,
    VerdictKind,
    unread_rule,
)
from iptlint.model.writes import Things
from iptlint.source import SourceFile, WholeOrigin


def lower(
    executed: ExecutionResult, source: SourceFile, dialect: str
) -> tuple[Ruleset, tuple[Diagnostic, ...]]:
    """The ruleset, and what is wrong with the text: of the read source first, in its order."""
    diagnostics: list[Diagnostic] = []
    changed = written(_all_rules(executed.tables))
    tables = tuple(
        _Lowering(table, changed, diagnostics, missing=executed.missing).table()
        for table in executed.tables
    )
    if executed.missing:
        diagnostics = [diagnostic for diagnostic in diagnostics if diagnostic.code != _UNDECLARED]
    diagnostics += unprinted(executed.tables)
    ruleset = Ruleset(source, dialect, _SYNTAXES[dialect], tables, executed.defines, executed.flush)
    in_order = sorted(
        (*executed.diagnostics, *diagnostics), key=lambda p: (_is_other(p, source), p.start)
    )
    return ruleset, tuple(dict.fromkeys(in_order))


_SYNTAXES = {NFT: syntax.NFT, NFT_JSON: syntax.NFT_JSON}
_UNDECLARED = "IPT003"
"""What a text uses may be declared in text that is missing."""


def _is_other(diagnostic: Diagnostic, source: SourceFile) -> bool:
    return diagnostic.source not in (None, source)


def _all_rules(tables: Sequence[OpenTable]) -> Iterator[t.Rule]:
    for table in tables:
        for chain in table.chains.values():
            for placed in chain.rules:
                yield placed.rule


_POLICIES = {
    "accept": Verdict(VerdictKind.ACCEPT, "accept"),
    "drop": Verdict(VerdictKind.DROP, "drop"),
}
_UNREAD = Verdict(VerdictKind.UNKNOWN, "unread")


class _Lowering:
    """Of one table. ``chains`` holds those of the text first, then those without a name.

    ``missing``: text is missing that may declare anything.
    """

    def __init__(
        self, table: OpenTable, changed: Things, diagnostics: list[Diagnostic], *, missing: bool
    ) -> None:
        self.open = table
        self.changed = changed
        self.diagnostics = diagnostics
        self.missing = missing
        self.chains: dict[str, Chain] = {}
        self.nameless: dict[str, Chain] = {}
        self.placed: list[hook_restrictions.RestrictedStatement] = []
        self.uncalled: tuple[str, ...] | None = None

    def table(self) -> Table:
        table = self.open
        for chain in table.chains.values():
            self.chains[chain.name] = self._chain(chain)
        self.chains |= self.nameless
        if self.missing or not all(chain.declared for chain in table.chains.values()):
            self._fill_gaps()
        self.diagnostics += hook_restrictions.misplaced(self.placed, self.chains)
        origin = header(table.origin)
        sets = (*map(_named, table.sets.values()), *_objects(table))
        return Table(table.family, table.name, self.chains, origin, table.fresh, sets)

    # -- chains -------------------------------------------------------------------------

    def _chain(self, chain: OpenChain) -> Chain:
        rules = self._rules(chain.name, chain.rules)
        if not chain.declared:
            # The host has it, with rules of its own that nothing is known of.
            return Chain(chain.name, (unread_rule(chain.origin, "rules of the host"), *rules))
        origin = header(chain.origin)
        if chain.hook is None:
            return Chain(chain.name, rules, origin=origin)
        kind = chain.hook.type.text if chain.hook.type else None
        if self.open.dormant:
            # It keeps its type, so that it can be told from a chain nobody calls.
            return Chain(chain.name, rules, origin=origin, type=kind)
        hook = _HOOKS.get(chain.hook.hook.text)
        policy = _POLICIES.get(chain.policy or "accept", _UNREAD) if hook else None
        return Chain(
            *(chain.name, rules, hook, chain.priority, policy, origin),
            type=kind,
            devices=chain.devices,
        )

    def _rules(self, chain: str, placed_rules: Sequence[PlacedRule]) -> tuple[Rule, ...]:
        rules: list[Rule] = []
        # From other chains than these, the jumps could go round in a circle.
        base = chain in self.open.chains and self.open.chains[chain].hook is not None
        uncalled_chains = self._uncalled_chains if base else tuple
        for placed in placed_rules:
            if not self.open.dormant:
                self.placed += hook_restrictions.restricted(chain, placed.source, placed.rule)
            self.diagnostics += hook_restrictions.long_prefix(placed.source, placed.rule)
            lowering = RuleLowering(self.open, placed.source, self.diagnostics)
            scope = RuleScope(lowering, self._block, uncalled_chains)
            rules += assembled(placed, scope, self.changed)
        return tuple(rules)

    def _block(self, block: t.JumpBlock, source: SourceFile) -> str:
        """A chain of its own for ``jump { … }``; no name of nft's has a blank in it."""
        line = source.line_of(block.start)
        name = f"the block at line {line}"
        number = 1
        while name in self.nameless:
            number += 1
            name = f"block {number} at line {line}"
        origin = header(WholeOrigin(source, block.start, block.end))
        self.nameless[name] = Chain(name, (), origin=origin)  # holds the name
        rules = self._rules(name, tuple(_in_block(block.items, source)))
        self.nameless[name] = Chain(name, rules, origin=origin)
        return name

    def _uncalled_chains(self) -> tuple[str, ...]:
        """The chains that only maps whose elements come at run time can call."""
        if self.uncalled is None:
            others = (name for name, chain in self.open.chains.items() if chain.hook is None)
            called = set(_called(self.open))
            self.uncalled = tuple(name for name in others if name not in called)
        return self.uncalled

    def _fill_gaps(self) -> None:
        """What is called may be in text that is missing, or on the host: it may do anything."""
        called = [
            (rule.verdict.chain, rule)
            for chain in tuple(self.chains.values())
            for rule in chain.rules
            if rule.verdict.chain is not None
        ]
        for name, rule in called:
            if name not in self.chains:
                unknown = unread_rule(rule.origin, f"chain {name}")
                self.chains[name] = Chain(name, (unknown,), origin=rule.origin)


def _called(table: OpenTable) -> Iterator[str]:
    rules = (placed.rule for chain in table.chains.values() for placed in chain.rules)
    elements = (change.elements for given in table.sets.values() for change in given.changes)
    for node in (each for part in (*rules, *elements) for each in everything(part)):
        if isinstance(node, t.Verdict) and isinstance(node.chain, t.Value):
            yield node.chain.text


_HOOKS = {hook.value: hook for hook in Hook}


def _in_block(items: Sequence[t.Node], source: SourceFile) -> Iterator[PlacedRule]:
    for item in items:
        match item:
            case t.Rule():
                yield PlacedRule(source, item)
            case t.Include(files=files):
                for file in files:
                    yield from _in_block(file.items, file.source)


# -- sets and objects --------------------------------------------------------------------


def _named(given: OpenSet) -> Named:
    counts = ((1 if c.adds else -1) * len(c.elements.elements) for c in given.changes)
    return Named(given.kind, given.name, header(given.origin), given.used, max(0, sum(counts)))


def _objects(table: OpenTable) -> Iterator[Named]:
    for given in table.objects.values():
        origin = header(given.origin)
        yield Named(given.kind, given.name, origin, given.used, devices=given.devices)
