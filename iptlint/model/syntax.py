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

from iptlint.model.editing import Editing
from iptlint.source import Edit, Origin, SourceFile, Span

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

    def without(self, listed: Sequence[ListElement], gone: Sequence[int]) -> tuple[Edit, ...]:
        """The list without these of its elements, each by its number, and with the layout of all
        others; empty where a remark or a backslash stands between two, or none would be left."""
        source, kept = self.span.source, sorted({*range(len(listed))} - {*gone})
        if not kept or any(sign in self.span.text for sign in "#\\"):
            return ()
        edits = []
        for number in gone:
            one = listed[number].span
            if number > kept[0]:
                span = Span(source, listed[number - 1].span.end, one.end)
            else:
                span = Span(source, one.start, listed[number + 1].span.start)
            edits.append(Edit(span, ""))
        return tuple(edits)


class WrittenNetwork(NamedTuple):
    """An address with a mask, ``192.0.2.7/24``, as it is written."""

    span: Span
    address: str
    mask: str


class Comparison(NamedTuple):
    """A rule that compares one thing with one value. ``before``: its other tests; ``key``,
    ``value``: the last one. All as they are written, with single blanks."""

    before: str
    key: str
    value: str


class LostRule(NamedTuple):
    """A rule that a translation has left as a comment. ``target``: None where it has none.
    ``certain``: nobody has moved the comment since."""

    span: Span
    table: str
    chain: str
    target: str | None
    certain: bool


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

    def added_networks(self, source: SourceFile) -> Iterator[tuple[str, WrittenNetwork]]:
        """The networks that commands of the text add, each with the name of its set."""


class Syntax(Editing, Protocol):
    """One language. It keeps nothing of a text: a text is handed over with each question."""

    # -- words ------------------------------------------------------------------------------

    def of(self, table: Table) -> Syntax:
        """That of the rules of a table: a script may write both languages."""

    def pick(self, *, iptables: Words, nft: Words) -> Words:
        """Of what a finding has to say in either language, what is said in this one."""

    def table_name(self, table: Table) -> str:
        """``the filter table``; of nft, where names are shared, ``the table inet filter``."""

    # -- what its tool does with a text ------------------------------------------------------

    @property
    def adds_to_tables(self) -> bool:
        """Whether a text is added to the tables that are there, unless it empties them itself:
        the host may have more than the text says, and a text may be one of several."""

    @property
    def makes_base_chains(self) -> bool:
        """Whether a base chain is there only where a text makes it, by any name and at any
        priority."""

    @property
    def is_of_all_families(self) -> bool:
        """Whether a text says what there is for packets of every family."""

    # -- what is written --------------------------------------------------------------------

    def lists(self, ruleset: Ruleset) -> Iterator[WrittenList]:
        """All lists of addresses or ports: in rules, in named sets, in defines."""

    def elements(self, place: WrittenList) -> list[ListElement]:
        """Those of a list; none where something in it is not understood."""

    def hosts(self, place: WrittenList) -> Sequence[int] | None:
        """The elements of a list of nothing but single IPv4 addresses, all at once: a million of
        them are dear to look at one by one. None of any other list."""

    def masked(self, ruleset: Ruleset) -> Iterator[WrittenNetwork]:
        """Where an address is written with a mask, as ``192.0.2.7/24``."""

    def value(self, rule: Rule, part: int) -> str:
        """What a test of the rule compares with, as it is written."""

    def paragraph(self, rule: Rule) -> int:
        """Equal for rules that people wrote together: without an empty line or a remark between,
        and without a remark behind one of them."""

    def said_of(self, rule: Rule) -> str:
        """The words of the remarks on the rule's line and right above it, and the names of the
        variables in it."""

    def is_in_remarked_block(self, rule: Rule) -> bool:
        """Whether a remark is on the rule's line, or above the block of lines that it is in."""

    def has_rules_left_out(self, chain: Chain) -> bool:
        """Whether a remark has a rule for the chain, for now or for once."""

    def find_name(self, span: Span, name: str) -> Span | None:
        """Where the name of a host is written in the span; an address may stand behind it."""

    def is_placeholder(self, name: Span) -> bool:
        """Whether a template has the name there, for what is filled in before it is loaded."""

    def may_call(self, rule: Rule, chain: str) -> bool:
        """Whether a rule that could not be read may call the chain."""

    def mentions_set(self, source: SourceFile, name: str) -> bool:
        """Whether the text has the name of a set, as a rule that looks into it has."""

    def named_sets(self, rule: Rule) -> frozenset[str]:
        """The sets and maps that the rule looks into by their names, as they are written."""

    def gives_policy(self, declaration: Origin) -> bool:
        """Whether the line that declares a chain gives it a policy, as a base chain has one."""

    def is_command(self, declaration: Origin) -> bool:
        """Whether a table or chain is made by a command, which no listing has."""

    def comparison(self, rule: Rule) -> Comparison | None:
        """The last test of the rule and what is before it, where the rule is nothing but tests
        and a verdict, and the language has verdict maps."""

    def counted_alike(self, rule: Rule) -> str:
        """The text of the rule without its counters: what is alike is the same rule again."""

    # -- a whole text -----------------------------------------------------------------------

    @property
    def is_listing(self) -> bool:
        """Whether such a text is always printed, and so tells of all that there is."""

    def is_entry_point(self, source: SourceFile) -> bool:
        """Whether the file is one that is loaded by itself, at boot or by hand."""

    def included(self, source: SourceFile) -> Iterator[str]:
        """The paths, or patterns of paths, that the includes of a text name."""

    def adds_once(self, source: SourceFile) -> bool:
        """Whether the text is refused when it is loaded a second time."""

    def declares(self, origin: Origin) -> bool:
        """Whether the origin of a table is its declaration, and no command about something in
        it."""

    def emptied_chains(self, source: SourceFile) -> frozenset[tuple[str, str, str]]:
        """The chains that the text flushes or deletes one by one: family, table, name."""

    def flushed_family(self, flush: Origin) -> str | None:
        """The family whose tables a ``flush ruleset`` deletes; None where it deletes all."""

    def is_of_nf_tables(self, source: SourceFile) -> bool | None:
        """Whether the tables are ones of nf_tables in the kernel; None where the text does not
        say."""

    def warns_of_legacy(self, source: SourceFile) -> Span | None:
        """Where the text says that there are tables of the legacy iptables beside these."""

    def looks_after_iptables(self, source: SourceFile) -> bool:
        """Whether the text is a listing with tables that iptables looks after."""

    def lost_rules(self, source: SourceFile) -> Iterator[LostRule]:
        """What a translation to this language has left out."""

    # -- a rule, written otherwise -----------------------------------------------------------

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

    def with_addresses(self, rule: Rule, part: int, test: str) -> str:
        """The rule with another test for its addresses."""

    @property
    def ports_in_a_list(self) -> int | None:
        """How much room a list has: a port takes one, a range two; None where it is enough."""

    def with_ports(self, rule: Rule, part: int, ports: Ranges) -> str | None:
        """The rule for these ports, on one line; None where those that it tests for now are not
        written in it."""

    def by_name(self, test: Span) -> str | None:
        """A test of an interface by its number, as one by its name; empty where it names none;
        None where it looks into a set, which would have to be another one."""

    def with_negated(self, rule: Rule, part: int, values: Sequence[str]) -> str | None:
        """The rule for all but these values, as they are written; None where the language has no
        negated list of them."""

    def with_port(self, rule: Rule, part: int, port: int, instead: str) -> str | None:
        """The rule on one line, with another port in the test of one; None where the test is not
        written in it."""

    def with_translated_port(self, rule: Rule, part: int, port: int, instead: str) -> str | None:
        """The same, for packets only that were translated to the other port."""

    def with_original_port(self, rule: Rule, part: int, port: int) -> str | None:
        """The rule on one line, for the port that a packet had before it was translated."""

    def by_interface(self, rule: Rule, name: str) -> str:
        """The rule on one line, for what leaves by the interface."""

    def with_present_state_test(self, rule: Rule, part: int) -> str | None:
        """The rule with a test of the state by its present name; None where it has it."""

    def in_table(self, rule: Rule, table: str) -> str | None:
        """The command for another table; None where the rule does not name its own."""

    def for_other_table(self, rule: Rule) -> str | None:
        """The rule on one line, for another table; None where it needs what its own table has."""

    def with_limit(self, rule: Rule) -> tuple[str, ...]:
        """A rule that logs, for a few packets a minute, or the two rules that it takes; empty
        where that cannot be said."""

    # -- what a ruleset lacks -----------------------------------------------------------------

    def render(
        self, suggestion: Suggestion, chain: str, ruleset: Ruleset, table: Table | None
    ) -> str:
        """The line, or the command, that adds the rule to the chain."""

    def insertion(self, rule: Rule, table: Table, chain: str) -> str:
        """The command that puts the rule before all others of its chain."""

    def deletion(self, rule: Rule, table: Table, chain: str) -> str | None:
        """The command that deletes the rule; None where that is not known from its text."""

    def policy(self, chain: Chain, ruleset: Ruleset, verdict: str) -> str:
        """The line, or the command, that gives the base chain the policy accept or drop."""

    def policy_command(self, chain: Chain, table: Table, verdict: str) -> str | None:
        """The command of a script that does so, even where a text has made the chain; None in
        other languages."""

    def new_chain(self, name: str, ruleset: Ruleset, table: Table) -> str:
        """The line, or the command, that makes a chain of that name in the table."""
