"""What a script does to the firewall, command by command.

A ``Script`` is what one reading of the text gives: which commands are carried out, in which
order, under which conditions, and what each does to the tables. ``Script.after(n)`` is the
ruleset after the first ``n`` of them, and ``Script.states()`` goes through all of them, which
costs no more for each than what the command changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.iptables.lowering.self_modified import with_changes
from iptlint.dialects.script.generated_text import Conditions, together
from iptlint.dialects.script.hints import Hints
from iptlint.dialects.script.ipsets import SetCommand, SetState
from iptlint.dialects.script.nft_command import NftPiece, NftState
from iptlint.dialects.script.symbolic_text import is_known
from iptlint.dialects.script.syntax import NFT_SCRIPT, SCRIPT
from iptlint.dialects.script.tables import ModelBuilder, TableChange, Tables
from iptlint.dialects.script.truths import may_hold, opposite
from iptlint.model import Family, Ruleset
from iptlint.model.script import Kind
from iptlint.source import SourceFile, Span


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One command for a firewall, as it is carried out once.

    ``span`` is the command in the script; what a loop or a function carries out several times
    is several steps with one span. ``calls``: where the functions it is in are called,
    outermost first. ``words``: the command with variables put in, marks and all (``unknown``).
    ``conditions``: what has to hold at run time for it to be carried out. ``failed``: the tool
    refuses it (no such chain, nothing to delete …), so that it changes nothing. ``reloads``: it
    has the saved rules loaded, with what the script made so far not among them. ``saves``: the
    families whose rules it writes to where the next boot finds them.
    """

    span: Span
    kind: Kind
    words: tuple[str, ...]
    conditions: Conditions = ()
    calls: tuple[Span, ...] = ()
    failed: bool = False
    changes: tuple[TableChange, ...] = ()
    nft: NftPiece | None = None
    sets: tuple[SetCommand, ...] = ()
    reloads: bool = False
    saves: frozenset[Family] = frozenset()

    @property
    def changed(self) -> frozenset[Family]:
        """The families whose tables it changes; those of nft may be of both."""
        if self.nft is not None:
            return frozenset((Family.IP, Family.IP6))
        return frozenset(change.key[0] for change in self.changes)

    @property
    def makes_a_difference(self) -> bool:
        """To the rules. Not, where it empties what is empty, or says who is in a set, which others
        may say too."""
        changes = self.changes or self.nft is not None
        return self.kind is Kind.CHANGE and not self.failed and bool(changes)

    @property
    def is_sure(self) -> bool:
        return not self.conditions and all(map(is_known, self.words))

    def filters(self, family: Family) -> bool:
        """Whether it says something of what is let through of the family."""
        if self.nft is not None:
            return self.nft.speaks_of(family)
        return any(change.key == (family, "filter") for change in self.changes)


_EMPTYING = frozenset(("-F", "--flush", "-X", "--delete-chain", "-Z", "--zero", "flush", "delete"))
"""Words of a command that makes no rule."""


def may_make_rules(steps: Iterable[Step], absent: Iterable[Span]) -> bool:
    """Whether a file that is not here is carried out behind a command that makes rules: so it may,
    too. Before, it is mostly settings."""
    changes = (step for step in steps if step.kind is Kind.CHANGE)
    making = [step.span for step in changes if not _EMPTYING & {*step.words}]
    return any(
        one.source is span.source and one.start < span.start for span in absent for one in making
    )


@dataclass(frozen=True, slots=True, eq=False)
class Script:
    """``start``: the tables before the first step. ``diagnostics``: what is wrong with the text
    and with its commands. ``understood`` of ``commands`` that are there were understood.
    ``sets``: the ipsets that it, or a script beside it, makes; None where it may make any.
    ``families``: those of which it is known what there was before; None where no other start was
    given than an empty one.
    ``facing``: of interfaces, whether the world is behind them, as far as variables tell.
    ``absent``: where it has others carried out, or loads rules from files, that are not beside
    it. ``rule_files``: those that it writes commands for a firewall into. ``note``: what it would
    do if it were called otherwise. ``started``: as that of ``Hints``. ``is_trial``: it waits behind
    its last step, and opens the firewall again if nobody stops it."""

    source: SourceFile
    steps: tuple[Step, ...]
    start: Tables
    start_nft: NftState
    diagnostics: tuple[Diagnostic, ...] = ()
    commands: int = 0
    understood: int = 0
    sets: frozenset[str] | None = frozenset()
    families: frozenset[Family] | None = None
    facing: Mapping[str, bool] = field(default_factory=dict)
    absent: tuple[Span, ...] = ()
    rule_files: tuple[str, ...] = ()
    note: str = ""
    started: bool = False
    contained: bool = False
    is_trial: bool = False

    @property
    def lacks_files(self) -> bool:
        return bool(self.absent)

    @property
    def lacks_rules(self) -> bool:
        return may_make_rules(self.steps, self.absent)

    @property
    def hints(self) -> Hints:
        return Hints(self.source, self.started, self.contained)

    def may_leave(self, family: Family) -> bool:
        truths = [together(step.conditions) for step in self.steps if step.filters(family)]
        unsure = [opposite(truth) for truth in truths if truth is not None]
        given = self.families is not None
        return len(unsure) == len(truths) and not given and may_hold(unsure)

    def makes_set(self, name: str) -> bool:
        return self.sets is None or name in self.sets

    def after(self, count: int | None = None) -> Ruleset:
        """The ruleset after the first ``count`` steps, or after all of them.

        A pure function: nothing is run, and the script is as it was.
        """
        return self._reached(count)[0]

    def states(self) -> Iterator[tuple[Step, Ruleset]]:
        """Every step with the ruleset after it, in one pass.

        Chains that the step did not touch are the same objects as before it.
        """
        state = _Progress(self)
        for step in self.steps:
            state.take(step)
            yield step, state.ruleset()[0]

    def final(self) -> tuple[Ruleset, tuple[Diagnostic, ...]]:
        """The ruleset in the end, with what is wrong in the script and in what it made."""
        ruleset, diagnostics = self._reached(None)
        return ruleset, (*self.diagnostics, *diagnostics)

    def _reached(self, count: int | None) -> tuple[Ruleset, tuple[Diagnostic, ...]]:
        state, steps = _Progress(self), self.steps[:count]
        for step in steps:
            state.take(step)
        ruleset, diagnostics = state.ruleset()
        if not {*self.absent}.isdisjoint(step.span for step in steps):
            # What is not declared may be in a file of rules that was loaded and is not here.
            diagnostics = tuple(each for each in diagnostics if each.code != "IPT003")
        return ruleset, diagnostics


class _Progress:
    """What there is after some of the steps."""

    def __init__(self, script: Script) -> None:
        self.source = script.source
        self.tables = script.start.copy()
        self.nft = script.start_nft
        self.sets = SetState(script.source.path)
        self.builder = ModelBuilder()
        self.families = script.families

    def take(self, step: Step) -> None:
        self.tables.apply(step.changes)
        self.nft = self.nft if step.nft is None else self.nft.with_piece(step.nft)
        self.sets = self.sets.with_commands(step.sets)

    def ruleset(self) -> tuple[Ruleset, tuple[Diagnostic, ...]]:
        nft = self.nft.result()
        own = with_changes(self.builder.tables(self.tables))
        own_tables = (t for t in own if self.families is None or t.family in self.families)
        tables = (*own_tables, *nft.tables)
        syntax = NFT_SCRIPT if nft.tables and not self.tables.chains else SCRIPT
        ruleset = Ruleset(self.source, "script", syntax, tables, nft.defines, nft.flush)
        return self.sets.put_into(ruleset), (*nft.diagnostics, *self.sets.diagnostics())
