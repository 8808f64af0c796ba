"""What an editor has open, and how it is looked at."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePath
from typing import Protocol

from iptlint.analysis.reach import Reach, Status, why_dead
from iptlint.analysis.reach_bounds import Bounds
from iptlint.analysis.session import Context, Settings
from iptlint.dialects import Reader, Reading
from iptlint.editor.positions import DEFAULT_ENCODING, Lines
from iptlint.findings import Finding
from iptlint.fixes.proof import State
from iptlint.linter.budget import Budget
from iptlint.linter.report import Report
from iptlint.memo import memo
from iptlint.model import Chain, Hook, Rule, Ruleset, Table
from iptlint.policy.file import NAME
from iptlint.policy.tests import PolicyFile
from iptlint.source import SourceFile, Span

Lint = Callable[[State], Report]


@dataclass(frozen=True, slots=True)
class Document:
    """An open file as the editor has it. ``others``: the texts of what else is open, by path;
    ``uris``: what the editor calls those files. ``turn``: another one whenever a file that is not
    open may have changed."""

    path: str
    text: str
    others: Mapping[str, str] = field(default_factory=dict)
    uris: Mapping[str, str] = field(default_factory=dict)
    encoding: str = DEFAULT_ENCODING
    turn: int = 0

    @property
    def is_policy(self) -> bool:
        """Whether it holds policy tests, and no rules."""
        return PurePath(self.path).name == NAME


class DeskError(Exception):
    """The document cannot be looked at, as its configuration is wrong; a sentence says why."""


@dataclass(frozen=True, slots=True)
class Host:
    """What a document is looked at with. ``sources``: the document first. ``first_look``: by what
    reading alone tells, in a moment; ``lint``: by all rules that are selected; ``lint_every``: by
    all there are, for proofs."""

    sources: tuple[SourceFile, ...]
    ipsets: tuple[SourceFile, ...]
    reader: Reader
    budget: Budget
    first_look: Lint
    lint: Lint
    lint_every: Lint


class Desk(Protocol):
    """Knows the configuration."""

    def host(self, document: Document) -> Host:
        """DeskError where its configuration is wrong."""

    def policy(self, document: Document) -> PolicyFile:
        """What a document of policy tests says; PolicyError with all that is wrong with it."""

    def failures(self, document: Document, policy: PolicyFile) -> list[Finding]:
        """The tests that the firewall beside the document fails; DeskError where there is none."""


_FEW_RULES = 1000
"""For so many, what comes to all lines at once takes a moment."""


class Seen:
    """A document, and what has been worked out about it. ``too_much``: the hooks as far as which
    following packets took more than there is."""

    def __init__(self, desk: Desk, document: Document) -> None:
        self._desk = desk
        self.document = document
        self.too_much: set[frozenset[Hook]] = set()
        self._reaches: dict[tuple[Rule, ...], Reach] = {}

    @cached_property
    def host(self) -> Host:
        return self._desk.host(self.document)

    @cached_property
    def policy(self) -> PolicyFile:
        return self._desk.policy(self.document)

    def failures(self) -> list[Finding]:
        return self._desk.failures(self.document, self.policy)

    @cached_property
    def source(self) -> SourceFile:
        """The document's own."""
        if self.document.is_policy:
            return SourceFile(self.document.path, self.document.text)
        return self.host.sources[0]

    @cached_property
    def state(self) -> State:
        return State(self.host.sources, self.host.ipsets, self.host.reader)

    @property
    def reading(self) -> Reading:
        return self.state.readings[0]

    @property
    def ruleset(self) -> Ruleset:
        return self.reading.ruleset

    @cached_property
    def report(self) -> Report:
        return self.host.lint(self.state)

    @cached_property
    def every(self) -> Report:
        return self.host.lint_every(self.state)

    @cached_property
    def context(self) -> Context:
        return Context((self.ruleset,), Settings())

    @cached_property
    def _whole_reach(self) -> Reach:
        return Reach(self.ruleset, firewall=self.context.firewall(self.ruleset))

    def reach(self, table: Table, chain: Chain, parts: tuple[Rule, ...]) -> Reach:
        """Of many rules, as those of a node of kube-proxy, no more is followed than comes to these:
        each of thousands of translations is a way of its own."""
        if self._is_small or "_whole_reach" in self.__dict__:
            return self._whole_reach
        known = self._reaches.get(parts)
        if known is None:
            known = self._reaches[parts] = self._bounded(table, chain, parts)
        return known

    def _bounded(self, table: Table, chain: Chain, parts: tuple[Rule, ...]) -> Reach:
        firewall = self.context.firewall(self.ruleset)
        bounded = Reach(self.ruleset, None, firewall, Bounds(firewall, table, chain, parts))
        answer = bounded.of(table, chain, parts)
        if answer is None or answer.status is not Status.DEAD:
            return bounded
        analysis = firewall.by_decision().analysis(table)
        by_table = all(why_dead(analysis, rule) for rule in parts if rule.read)
        return bounded if by_table else self._whole_reach

    @cached_property
    def _is_small(self) -> bool:
        return sum(1 for _ in self.ruleset.rules()) <= _FEW_RULES

    @property
    def lines(self) -> Lines:
        return self.lines_of(self.source)

    @memo
    def lines_of(self, source: SourceFile) -> Lines:
        return Lines(source, self.document.encoding)

    def uri(self, path: str) -> str:
        """As the editor calls the file."""
        return self.document.uris.get(path) or Path(path).absolute().as_uri()

    def is_here(self, span: Span) -> bool:
        return span.source.path == self.source.path


_KEPT = 4


class Session:
    """What one worker has seen; of the last few documents it keeps what it worked out."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._seen: OrderedDict[str, Seen] = OrderedDict()

    def see(self, document: Document) -> Seen:
        seen = self._seen.pop(document.path, None)
        if seen is None or seen.document != document:
            seen = Seen(self._desk, document)
        self._seen[document.path] = seen
        while len(self._seen) > _KEPT:
            self._seen.popitem(last=False)
        return seen
