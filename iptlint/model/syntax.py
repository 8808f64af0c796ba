"""What may be asked of how a ruleset is written, whatever its language.

A lint rule reasons about the model, and then has to speak of a text: where the elements of a
list stand, how the line reads with one more state in it, how the rule that is missing would be
written here. ``Ruleset.syntax`` answers, and each language has one of its own below
``dialects/``; so a rule never reads a text, and a language that is new answers for itself.

Whoever adds a question puts it here for one reason: a rule asks it. The answers that change a
rule are the text of the whole rule as it should be written, or None where the way it is written
now does not let it be said. They change nothing else of the line: a comment, the counters and
the order of what is written stay, for they are what a fix writes back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from iptlint.source import SourceFile, Span

if TYPE_CHECKING:
    from iptlint.model.matches import Ranges
    from iptlint.model.ruleset import Chain, Named, Rule, Ruleset, Table

Words = TypeVar("Words")

PORT_BITS = 16


class ListElement(NamedTuple):
    """``bits``: 32 or 128 of an address, 16 of a port. ``span``: where it is written.
    ``plain``: it has no timeout, counter or comment of its own."""

    low: int
    high: int
    bits: int
    span: Span
    plain: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class WrittenList:
    """A list as it is written. The model keeps what a list means: what stands in it twice, or is
    part of something else in it, can only be seen here.

    ``bits``: 16 where it is one of ports. ``named``: the set or define; None where the list
    stands in a rule. ``braced``: it is between braces. ``changing``: a set whose elements come
    and go or count. ``refuses_overlap``: a set of intervals that nft does not merge.
    """

    span: Span
    bits: int | None = None
    named: Named | None = None
    braced: bool = True
    changing: bool = False
    refuses_overlap: bool = False

    @property
    def on_one_line(self) -> bool:
        return "\n" not in self.span.text

    def with_elements(self, elements: Sequence[ListElement]) -> str:
        """The list with these elements of it, as they are written, and no others."""
        texts = [element.span.text for element in elements]
        return f"{{ {', '.join(texts)} }}" if self.braced else ",".join(texts)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A rule that is to be added, in both languages; ``iptables`` is what follows ``-A CHAIN``."""

    iptables: str
    nft: str

    def into(self, chain: str, ruleset: Ruleset, table: Table | None = None) -> str:
        """As it would be written in the source of the ruleset. ``table``: the one with the chain,
        where several families have a chain of that name."""
        return ruleset.syntax.render(self, chain, ruleset, table)


class SetSyntax(Protocol):
    """What may be asked of a text that makes ipsets."""

    def added_networks(self, source: SourceFile) -> Iterator[tuple[str, Span]]:
        """The networks that commands of the text add, as they are written, each with the name of
        its set."""


class Syntax(Protocol):
    """One language. It keeps nothing of a text: a text is handed over with each question."""

    # -- words ------------------------------------------------------------------------------

    def pick(self, *, iptables: Words, nft: Words) -> Words:
        """Of what a finding has to say in either language, what is said in this one."""

    def table_name(self, table: Table) -> str:
        """``the filter table``; of nft, where names are shared, ``the table inet filter``."""

    # -- what is written --------------------------------------------------------------------

    def lists(self, ruleset: Ruleset) -> Iterator[WrittenList]:
        """All lists of addresses or ports: in rules, in named sets, in defines."""

    def elements(self, place: WrittenList) -> list[ListElement]:
        """Those of a list; none where something in it is not understood."""

    def masked(self, ruleset: Ruleset) -> Iterator[Span]:
        """Where an address is written with a mask, as ``192.0.2.7/24``."""

    def value(self, rule: Rule, part: int) -> str:
        """What a test of the rule compares with, as it is written."""

    def has_remark(self, rule: Rule) -> bool:
        """Whether a remark (``#``) is on the rule's line, or on the one above it."""

    def is_in_remarked_block(self, rule: Rule) -> bool:
        """Whether a remark is on the rule's line, or above the block of lines that it is in."""

    def is_entry_point(self, source: SourceFile) -> bool:
        """Whether the file is one that is loaded by itself, at boot or by hand."""

    def included(self, source: SourceFile) -> Iterator[str]:
        """The paths, or patterns of paths, that the includes of a text name."""

    # -- a rule, written otherwise -----------------------------------------------------------

    def edited(self, rule: Rule, part: int, text: str) -> str:
        """The rule with another text for the test ``part`` (an index of ``rule.matches``; -1 is
        the verdict), and nothing else changed."""

    def with_state(self, rule: Rule, state: str) -> str | None:
        """The rule with one more state that it takes; None where it lists none."""

    def without_state(self, rule: Rule, state: str) -> str | None:
        """The rule with one state less; None where it does not list it, or nothing is left."""

    def answers_only(self, rule: Rule) -> str | None:
        """A rule for all states but some, as one for established and related; None where it is
        none, or is not written in one of the usual ways."""

    def reply_of(self, rule: Rule, *, forwarded: bool) -> str:
        """The rule for the answers to its packets; answers to what is forwarded come by the same
        chain."""

    @property
    def ports_in_a_list(self) -> int | None:
        """How much room a list has: a port takes one, a range two; None where it is enough."""

    def with_ports(self, rule: Rule, part: int, ports: Ranges) -> str | None:
        """The rule for these ports, on one line; None where those that it tests for now are not
        written in it."""

    def with_negated(self, rule: Rule, part: int, values: Sequence[str]) -> str | None:
        """The rule for all but these values, as they are written; None where the language has no
        negated list of them."""

    def with_limit(self, rule: Rule) -> str | None:
        """A rule that logs, for a few packets a minute, or the two rules that it takes."""

    # -- what a ruleset lacks -----------------------------------------------------------------

    def render(
        self, suggestion: Suggestion, chain: str, ruleset: Ruleset, table: Table | None
    ) -> str:
        """The line, or the command, that adds the rule to the chain."""

    def policy(self, chain: Chain, ruleset: Ruleset, verdict: str) -> str:
        """The line, or the command, that gives the base chain the policy accept or drop."""
