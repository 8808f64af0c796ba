"""What one statement adds to its rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering.matches import RuleLowering
from iptlint.dialects.nft.nodes import Node
from iptlint.model import Effect, EffectKind, Field, Match, Verdict
from iptlint.source import SourceFile

Matches = tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class VerdictBranch:
    """One outcome of a map; ``verdict`` is None where the rule goes on."""

    matches: Matches
    verdict: Verdict | None
    place: Node | None
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True)
class StatementResult:
    """What a statement does, in this order.

    ``front``: tests that nft puts at the beginning of the rule, where there are none of their
    fields before. ``before``: tests that have to hold, else the rule breaks off. ``effects``,
    and in ``name`` and ``text`` what is done (``complete``: the effects say all of it).
    ``branches`` or ``verdict`` if it decides. ``after``: tests for what follows, as it may break
    the rule off.
    """

    front: Matches = ()
    before: Matches = ()
    effects: tuple[Effect, ...] = ()
    name: str = ""
    text: str = ""
    complete: bool = False
    branches: tuple[VerdictBranch, ...] = ()
    verdict: Verdict | None = None
    after: Matches = ()

    @property
    def acts(self) -> bool:
        return bool(self.effects or self.text)


NOTHING = StatementResult()


@dataclass(slots=True)
class RuleScope:
    """What the table lends to a rule that is lowered.

    ``block`` makes a chain of ``jump { … }`` and names it. ``uncalled_chains``: those to
    which only a map whose elements come at run time can lead.
    """

    lowering: RuleLowering
    block: Callable[[t.JumpBlock, SourceFile], str]
    uncalled_chains: Callable[[], tuple[str, ...]] = tuple


def write(field: Field, mask: int | None = None, value: int | None = None) -> Effect:
    return Effect(EffectKind.WRITE, field, mask, value)
