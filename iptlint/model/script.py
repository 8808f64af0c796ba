"""What lint rules may know of the script that made a ruleset.

``Ruleset.script`` is one, in the last state of the firewall. The language of scripts makes it
(it works the states out when they are asked for); here is only what others see of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from iptlint.model.ruleset import Family, Ruleset
    from iptlint.source import Span


class Kind(Enum):
    """CHANGE: changes tables or sets, or would. LOOK: lists or tests. SAVE: writes the rules
    to where the next boot finds them. PRINT: writes them to the terminal."""

    CHANGE = "change"
    LOOK = "look"
    SAVE = "save"
    PRINT = "print"


class Step(Protocol):
    """One command for a firewall, as it is carried out once. ``words``: without the tool's name.
    ``failed``: the tool refuses it, so that it changes nothing."""

    @property
    def span(self) -> Span: ...

    @property
    def kind(self) -> Kind: ...

    @property
    def words(self) -> tuple[str, ...]: ...

    @property
    def calls(self) -> tuple[Span, ...]:
        """Where the functions it is in are called, outermost first."""

    @property
    def failed(self) -> bool: ...

    @property
    def reloads(self) -> bool:
        """Whether it has the saved rules loaded, and the script has not saved what it made."""

    @property
    def changed(self) -> frozenset[Family]:
        """The families whose tables it changes; one for nft may be about both."""

    @property
    def saves(self) -> frozenset[Family]:
        """The families whose rules it writes to where the next boot finds them."""

    @property
    def is_sure(self) -> bool:
        """Whether it is carried out in every run, and nothing in it is known only then."""


class Hints(Protocol):
    """What the words of a script say besides its commands."""

    @property
    def is_program(self) -> bool:
        """Whether it is run as one; else it may be lines that are put into another."""

    @property
    def is_main_program(self) -> bool:
        """Whether it is that of a container, which ends in what the container is for, or sets up
        the firewall of one."""

    def is_provided_for(self, besides: Iterable[Span] = ()) -> bool:
        """Whether it says, by its place or in words, that it saves the rules, that it is run at
        boot, that it is a service, or that the rules are not meant to stay. ``besides``: commands
        that are not asked, with what follows on their line."""

    @property
    def speaks_of_ipv6(self) -> bool:
        """Whether IPv6 is named in it, if only to switch it off."""

    @property
    def shows_bridged(self) -> bool:
        """Whether it has what a bridge forwards shown to the chains of ip (br_netfilter)."""

    def beside(self, command: Span) -> str:
        """What is said of the command: its own lines, with a comment at their end, and a comment or
        what is printed on the line before."""

    def waits(self, start: Span, end: Span) -> bool:
        """Whether something takes its time between the two commands."""


class Script(Protocol):
    """The commands in the order in which they are carried out."""

    @property
    def hints(self) -> Hints: ...

    @property
    def families(self) -> frozenset[Family] | None:
        """Those of which it is known what there was before; None where nobody said what was."""

    @property
    def facing(self) -> Mapping[str, bool]:
        """Of interfaces by name, whether the world is behind them, as far as the names of variables
        tell; empty unless it is behind one."""

    @property
    def lacks_files(self) -> bool:
        """Whether it has others carried out that are not there, which may do anything."""

    @property
    def absent(self) -> Sequence[Span]:
        """Where these are carried out."""

    @property
    def lacks_rules(self) -> bool:
        """Whether one of them is carried out behind a command that makes rules: so it may, too."""

    @property
    def note(self) -> str:
        """What it would do if it were called otherwise, in a sentence; or nothing."""

    @property
    def is_trial(self) -> bool:
        """Whether it waits behind its last step, and opens the firewall again if nobody stops
        it."""

    @property
    def steps(self) -> Sequence[Step]: ...

    def may_leave(self, family: Family) -> bool:
        """Whether all that it does to the filters of the family, if it does anything, stands under
        conditions that may fail, so that they may be as they were, whatever that is."""

    def makes_set(self, name: str) -> bool:
        """Whether some command makes the ipset, or may."""

    def after(self, count: int | None = None) -> Ruleset:
        """The firewall after the first ``count`` steps, or after all of them."""

    def states(self) -> Iterator[tuple[Step, Ruleset]]:
        """Every step with the firewall after it. A chain that did not change is the same object
        as before, but for those of nft."""
