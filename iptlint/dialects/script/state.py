"""What there is while a script is worked through, and what is written down of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from iptlint.dialects.diagnostics import Diagnostic, SyntaxDiagnostic
from iptlint.dialects.files import Files
from iptlint.dialects.script.decisions import Decisions
from iptlint.dialects.script.environment import Environment
from iptlint.dialects.script.generated_text import Condition, Conditions, TextPart
from iptlint.dialects.script.hints import is_firmwares
from iptlint.dialects.script.iptables_execution import Chains, IptablesTool
from iptlint.dialects.script.nft_command import NftState
from iptlint.dialects.script.not_understood import NotUnderstood, Reason
from iptlint.dialects.script.steps import Step
from iptlint.dialects.script.streams import Input, Output
from iptlint.dialects.script.tables import Tables
from iptlint.dialects.script.tree import Statement
from iptlint.dialects.script.truths import may_hold
from iptlint.model import Family, Match
from iptlint.model.script import Kind
from iptlint.source import SourceFile, Span

MAX_STATEMENTS = 60_000
MAX_STEPS = 20_000
MAX_CALLS = 40
"""Functions in functions, files in files."""
MAX_EVAL = 5_000
"""Characters for ``eval``, which people give a command or two."""
MAX_VALUE = 50_000
"""Characters in a variable: one that is longer grows from round to round."""

MAX_VALUES = 500_000
"""Fields that words become, over one for each: beyond, a list doubles from line to line."""


TEMPORARY = "/tmp/mktemp."
"""How the names begin that `mktemp` is taken to give."""

_FOR_A_FIREWALL = re.compile(
    r"\bip6?tables(?:-\w+)?\s+-\S|^\*(?:filter|nat|mangle|raw)\s*$"
    r"|^[ \t]*(?:add\s+)?table\s+(?:ip6?|inet|bridge|netdev|arp)\s|\bnft\s+(?:add|insert|-f)\s",
    re.MULTILINE,
)


class TooMuchError(Exception):
    """The script goes on for longer than anybody waits."""


class Flow(Enum):
    GO = "go"
    BREAK = "break"
    CONTINUE = "continue"
    RETURN = "return"
    EXIT = "exit"


class Result(NamedTuple):
    """``status`` is None where it is known only at run time; ``truth``: then what has to hold for
    success, if more is known of it than that it was asked. ``levels``: of break, continue.
    ``sure``: it has that status on every host, not only where there was nothing before."""

    status: int | None = 0
    flow: Flow = Flow.GO
    levels: int = 1
    truth: Match | None = None
    sure: bool = True


@dataclass(slots=True)
class RunningText:
    """A text whose statements run. ``span``: all of it is from there (``eval``)."""

    source: SourceFile
    span: Span | None = None

    def place(self, start: int, end: int) -> Span:
        return self.span or Span(self.source, start, end)


@dataclass(slots=True)
class Scope:
    """A function, a loop or the whole script, which may have been left already.

    ``guards``: those that it is under. ``left``: what had to hold where it was, and how things are
    there; ``conditions``: what has to hold for going on. ``of_round``, ``left_in_round``: the same
    of one round of a loop. ``departures``: what had to hold where it was left, with the status
    then.
    """

    kind: Flow
    guards: Conditions = ()
    conditions: list[Condition] = field(default_factory=list)
    of_round: list[Condition] = field(default_factory=list)
    left: list[tuple[Condition, Environment]] = field(default_factory=list)
    left_in_round: list[tuple[Condition, Environment]] = field(default_factory=list)
    departures: list[tuple[Match, int | None]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    tables: Tables
    nft: NftState
    steps: int
    notes: int
    diagnostics: int
    absent: int
    written: dict[str, tuple[TextPart, ...] | None]
    sets: frozenset[str]
    printed: int


@dataclass(slots=True)
class Run:
    """``files``: those that the script may read; ``written``: what it wrote into files, by name.
    ``called_at``: where the function that runs was called; ``bodies``: those that are being
    carried out, outermost first.
    ``known``: the families of which it is known what there was before. ``occasions``: in which
    rounds of loops and in which calls it is; ``rounds``: in how many loops that go round
    nobody knows how often; ``asking``: in how many conditions; ``effects``: how many commands
    have changed files or the host. ``values``: how many fields words became, over one.
    ``outputs``: how many substitutions were carried out. ``muted``: what commands complain of goes
    somewhere else, so that the script counts on it.
    ``rule_files``: those that it wrote commands for a firewall into, whatever came of them.
    ``saved``: the tables when they were printed, by the mark that stands for the text.
    ``sets``: the ipsets there are; ``made_sets``: those that it ever makes, whatever comes of
    them; ``gone_sets``: those of them that it has taken away, and where; ``early_sets``: where it
    first fills sets that it had not made."""

    main: SourceFile
    environment: Environment
    tables: Tables
    nft: NftState
    late: Chains
    known: frozenset[Family]
    text: RunningText
    files: Files
    directory: str
    steps: list[Step] = field(default_factory=list)
    notes: list[NotUnderstood] = field(default_factory=list)
    absent: list[NotUnderstood] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    written: dict[str, tuple[TextPart, ...] | None] = field(default_factory=dict)
    rule_files: dict[str, None] = field(default_factory=dict)
    saved: dict[str, Tables] = field(default_factory=dict)
    sets: set[str] = field(default_factory=set)
    made_sets: set[str] = field(default_factory=set)
    gone_sets: dict[str, Span] = field(default_factory=dict)
    early_sets: dict[str, Span] = field(default_factory=dict)
    guards: Conditions = ()
    scopes: list[Scope] = field(default_factory=lambda: [Scope(Flow.EXIT)])
    calls: tuple[Span, ...] = ()
    bodies: tuple[Statement, ...] = ()
    called_at: Span | None = None
    stdin: Input | None = None
    stdout: Output | None = None
    statements: int = 0
    values: int = 0
    commands: set[tuple[str, int, int]] = field(default_factory=set)
    decisions: Decisions = field(default_factory=Decisions)
    occasions: tuple[str, ...] = ()
    rounds: int = 0
    asking: int = 0
    effects: int = 0
    outputs: int = 0
    muted: bool = False
    tools: dict[Family, IptablesTool] = field(default_factory=dict)

    @property
    def status(self) -> int | None:
        """That of the last command, as ``$?`` has it."""
        return self.environment.status

    @status.setter
    def status(self, status: int | None) -> None:
        self.environment.status = status

    # -- conditions -----------------------------------------------------------

    def conditions(self) -> Conditions:
        inner = (c for scope in self.scopes for c in (*scope.conditions, *scope.of_round))
        return (*inner, *self.guards)

    def may_hold(self, *further: Condition) -> bool:
        """Whether there is a run in which these hold here."""
        return may_hold(condition.truth for condition in (*self.conditions(), *further))

    def checkpoint(self) -> Checkpoint:
        return Checkpoint(
            self.tables.copy(),
            self.nft,
            len(self.steps),
            len(self.notes),
            len(self.diagnostics),
            len(self.absent),
            dict(self.written),
            frozenset(self.sets),
            0 if self.stdout is None else len(self.stdout.parts),
        )

    def back_to(self, then: Checkpoint) -> None:
        """As if what happened since had not."""
        self.tables.take(then.tables.copy())
        self.nft = then.nft
        del self.steps[then.steps :]
        del self.notes[then.notes :]
        del self.diagnostics[then.diagnostics :]
        del self.absent[then.absent :]
        self.written = dict(then.written)
        self.sets = set(then.sets)
        if self.stdout is not None:
            del self.stdout.parts[then.printed :]

    def has_changed(self, since: Checkpoint) -> bool:
        return any(step.kind is Kind.CHANGE for step in self.steps[since.steps :])

    def keep(
        self, name: str, parts: tuple[TextPart, ...] | None, added: tuple[TextPart, ...]
    ) -> None:
        """The file holds this now, with what was added to it; None where that is not known."""
        self.written[name] = parts
        lasts = not name.startswith(TEMPORARY)
        if lasts and _FOR_A_FIREWALL.search("".join(part.text for part in added)):
            self.rule_files[name] = None

    def make_sets(self, names: Collection[str]) -> None:
        self.sets.update(names)
        self.made_sets.update(names)

    def expand(self, values: int) -> None:
        """Words become so many fields more."""
        self.values += values
        if self.values > MAX_VALUES:
            raise TooMuchError

    # -- what is written down -------------------------------------------------

    def note(self, reason: Reason, span: Span, detail: str) -> None:
        self.notes.append(NotUnderstood(reason, span, detail))

    def add(self, step: Step, notes: Sequence[tuple[Reason, str]] = ()) -> None:
        self.tables.apply(step.changes)
        if step.nft is not None:
            self.nft = self.nft.with_piece(step.nft)
        self.steps.append(step)
        if len(self.steps) > MAX_STEPS:
            raise TooMuchError
        self.commands.add((step.span.source.path, step.span.start, step.span.end))
        for reason, detail in notes:
            self.note(reason, step.span, detail)
        if step.conditions and step.makes_a_difference:
            self.note(Reason.CONDITION, step.span, step.conditions[-1].text)

    def tool(self, family: Family) -> IptablesTool:
        tool = self.tools.get(family)
        if tool is None:
            tool = IptablesTool(family, self.tables, self.late, strict=family in self.known)
            self.tools[family] = tool
        tool.lacks_files = bool(self.absent) or is_firmwares(self.main.path)
        return tool

    @contextmanager
    def on_occasion(self, text: str) -> Iterator[None]:
        before = self.occasions
        if text:
            self.occasions = (*before, text)
        try:
            yield
        finally:
            self.occasions = before

    @contextmanager
    def within_condition(self) -> Iterator[None]:
        self.asking += 1
        try:
            yield
        finally:
            self.asking -= 1

    # -- streams --------------------------------------------------------------

    @contextmanager
    def streams(self, stdin: Input | None, stdout: Output | None) -> Iterator[None]:
        before = self.stdin, self.stdout
        self.stdin, self.stdout = stdin, stdout
        try:
            yield
        finally:
            self.stdin, self.stdout = before

    @contextmanager
    def subshell(self) -> Iterator[None]:
        """What is set inside stays inside."""
        before = self.environment
        self.environment = before.copy()
        try:
            yield
        finally:
            self.environment = before

    def write(self, text: str, span: Span) -> None:
        if self.stdout is not None:
            self.stdout.write(text, span, self.conditions())


_OTHER_SHELL = re.compile(r"#!.*\b(zsh|ksh|mksh)\b")


def syntax(diagnostic: SyntaxDiagnostic, span: Span) -> Diagnostic:
    """What is wrong with a text of the shell, as a finding in the making. Of a shell with words of
    its own it is only what this does not read."""
    other = _OTHER_SHELL.match(span.source.text)
    if other is not None and diagnostic.code == "IPT001":
        message = f"this part of a script for {other[1]} is not read: what it does is not known"
        return Diagnostic("IPT002", "info", span.start, span.end, message, "", span.source)
    severity = {"IPT002": "info", "IPT010": "warning"}.get(diagnostic.code, "error")
    return Diagnostic(
        diagnostic.code, severity, span.start, span.end, diagnostic.message, "", span.source
    )
