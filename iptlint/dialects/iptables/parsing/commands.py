"""The options that are not tests: commands, ``-m``, ``-j`` and what the tool keeps for itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from iptlint.dialects.iptables.extensions.row import Option
from iptlint.dialects.iptables.parsing.base_options import CORE
from iptlint.dialects.iptables.parsing.tree import Command


class Takes(Enum):
    """Whether an option has an argument. OPTIONAL takes a next word that is no option."""

    NOTHING = auto()
    ONE = auto()
    OPTIONAL = auto()


class Role(Enum):
    COMMAND = auto()
    TEST = auto()  # an option of CORE or of an extension
    MATCH = auto()
    JUMP = auto()
    GOTO = auto()
    TABLE = auto()
    COUNTERS = auto()
    TELL = auto()  # prints something and restores nothing


@dataclass(frozen=True, slots=True)
class CommandRow:
    """``then`` is the field of ``Shape`` that a word after the chain fills; ``creates``: the
    chain is new; ``rule`` and ``counters``: tests, or ``-c``, may follow; ``beside``: the
    commands that may stand on the same line."""

    command: Command
    short: str
    chain: Takes = Takes.ONE
    then: str | None = None
    then_required: str | None = None
    creates: bool = False
    rule: bool = False
    counters: bool = False
    beside: tuple[Command, ...] = ()


_ZERO = (Command.ZERO,)
_LISTS = (Command.LIST, Command.LIST_RULES)

COMMANDS = (
    CommandRow(Command.APPEND, "A", rule=True, counters=True),
    CommandRow(Command.CHECK, "C", rule=True),
    CommandRow(Command.DELETE, "D", then="number", rule=True),
    CommandRow(Command.INSERT, "I", then="number", rule=True, counters=True),
    CommandRow(
        Command.REPLACE,
        "R",
        then="number",
        then_required="the number of a rule",
        rule=True,
        counters=True,
    ),
    CommandRow(Command.LIST, "L", Takes.OPTIONAL, then="number", beside=_ZERO),
    CommandRow(Command.LIST_RULES, "S", Takes.OPTIONAL, then="number", beside=_ZERO),
    CommandRow(Command.FLUSH, "F", Takes.OPTIONAL),
    CommandRow(Command.ZERO, "Z", Takes.OPTIONAL, then="number", beside=_LISTS),
    CommandRow(Command.NEW_CHAIN, "N", creates=True),
    CommandRow(Command.DELETE_CHAIN, "X", Takes.OPTIONAL),
    CommandRow(Command.RENAME_CHAIN, "E", then="new_name", then_required="the chain's new name"),
    CommandRow(Command.POLICY, "P", then="policy", then_required="a policy", counters=True),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What an option means to the tool; ``option`` is set for a test, ``row`` for a command."""

    name: str
    short: str | None
    role: Role
    takes: Takes
    option: Option | None = None
    row: CommandRow | None = None


def takes(option: Option) -> Takes:
    if not option.values:
        return Takes.NOTHING
    return Takes.OPTIONAL if option.optional and len(option.values) == 1 else Takes.ONE


BASE: tuple[Entry, ...] = (
    *(Entry(row.command.value, row.short, Role.COMMAND, row.chain, row=row) for row in COMMANDS),
    *(Entry(o.name, o.short, Role.TEST, takes(o), option=o) for o in CORE.options),
    Entry("match", "m", Role.MATCH, Takes.ONE),
    Entry("jump", "j", Role.JUMP, Takes.ONE),
    Entry("goto", "g", Role.GOTO, Takes.ONE),
    Entry("table", "t", Role.TABLE, Takes.ONE),
    Entry("set-counters", "c", Role.COUNTERS, Takes.ONE),
    Entry("version", "V", Role.TELL, Takes.NOTHING),
    Entry("help", "h", Role.TELL, Takes.OPTIONAL),
)
"""What is in scope before anything is loaded."""

LISTING_ONLY = frozenset({"numeric", "exact", "line-numbers"})
ANY_COMMAND = frozenset({"ipv4", "ipv6", "verbose", "modprobe", "wait", "wait-interval"})
NOT_IN_A_TABLE = frozenset({"wait", "wait-interval"})
"""Options of CORE that say nothing about packets, by the commands they go with."""
