"""What a running shell knows: variables, arguments, functions."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from iptlint.dialects.script import tree as t
from iptlint.dialects.script.arrays import (
    from_the_end,
    index_in,
    is_list_known,
    is_named,
    keys_of,
    with_item,
    without_item,
)
from iptlint.dialects.script.choices import Option, Value, all_alike, one_of
from iptlint.dialects.script.generated_text import Condition
from iptlint.dialects.script.symbolic_text import BLANKS, WHOLE, are_known, is_known, mark
from iptlint.model.numbers import decimal, is_decimal
from iptlint.source import SourceFile, Span

_ROOT = {"EUID": "0", "UID": "0", "IFS": BLANKS, "OSTYPE": "linux-gnu"}
_FROM_OUTSIDE = re.compile(
    r"HOME|PATH|PWD|OLDPWD|USER|LOGNAME|SHELL|HOST(NAME|TYPE)?|LANG|LC_\w+|TERM|TMPDIR|SUDO_\w+"
    r"|SSH_\w+|RANDOM|SECONDS|PPID|LINENO|BASH\w*|COLUMNS|LINES|EDITOR|IFACE|MODE|METHOD"
    r"|PPP_\w+|REPLY|OPT(ARG|IND)|DEBIAN_\w+|RC_\w+|PLUTO_\w+|NFT?|IPT\w*|IP6T\w*|IP|SUDO"
    r"|dev|common_name|script_type|(trusted|untrusted|ifconfig|route|remote|local)_\w+|ACTION"
)
_TOOLS = (
    (re.compile(r"I?P?6TABLES_?RESTORE|IP(T6|6T|6TABLES)_?RESTORE"), "ip6tables-restore"),
    (re.compile(r"IP(4?T|4?TABLES|TABLES4)_?RESTORE"), "iptables-restore"),
    (re.compile(r"IP(6T|T6|6TABLES|TABLES6|6|TABLES_V6|T_?V6)"), "ip6tables"),
    (re.compile(r"IP(4?T|4?TABLES|TABLES4?|T4|TABLES_V4|T_?V4)"), "iptables"),
    (re.compile(r"IP_?SET"), "ipset"),
    (re.compile(r"NFT|NFTABLES"), "nft"),
)
"""What people call the variables that hold a tool, where the script does not say."""


def tool_called(name: str) -> str | None:
    """The tool that a variable of this name holds in other people's scripts."""
    upper = name.upper().strip("_")
    return next((tool for pattern, tool in _TOOLS if pattern.fullmatch(upper)), None)


class Held(NamedTuple):
    value: Value | None
    options: tuple[Option, ...] = ()


@dataclass(slots=True)
class Environment:
    """``open``: a file that is sourced is not there, so that anything may be set.

    ``versions``: how often each variable was given a value that is not known, shared by all copies.
    ``assigned``: the variables that the text gives a value anywhere. Any other one is set from
    outside, if at all. ``saved``: what the local variables of the functions that run were
    before, innermost last. ``choices``: of variables that have one of several values what they
    may be. ``guessed``: nobody has said what the script is called with. ``given``: the variables
    that hold what it is called with. ``handed``: all of it was handed on to the function that
    runs. ``forms``: those that were declared to hold numbers (``i``), or capitals (``u``) or small
    letters (``l``) only; shared by all copies. ``settings``: what ``set`` has switched on, by its
    letter or its word. ``status``: that of the last command; None where it is not known. ``traps``:
    what is carried out when the script ends, or a command fails. ``aliases``: what stands for
    which words, shared by all copies.
    """

    name: str
    arguments: tuple[str, ...] = ()
    variables: dict[str, Value] = field(default_factory=dict)
    functions: dict[str, tuple[SourceFile, t.Statement]] = field(default_factory=dict)
    open: bool = False
    assigned: frozenset[str] = frozenset()
    saved: list[dict[str, Held]] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    choices: dict[str, tuple[Option, ...]] = field(default_factory=dict)
    guessed: bool = False
    given: frozenset[str] = frozenset()
    handed: bool = False
    forms: dict[str, str] = field(default_factory=dict)
    settings: frozenset[str] = frozenset()
    status: int | None = 0
    traps: dict[str, tuple[str, Span]] = field(default_factory=dict)
    aliases: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def copy(self) -> Environment:
        return Environment(
            self.name,
            self.arguments,
            dict(self.variables),
            dict(self.functions),
            self.open,
            self.assigned,
            [dict(each) for each in self.saved],
            self.versions,
            dict(self.choices),
            self.guessed,
            self.given,
            self.handed,
            self.forms,
            self.settings,
            self.status,
            dict(self.traps),
            self.aliases,
        )

    def take(self, other: Environment) -> None:
        """Become what the other is."""
        self.name, self.arguments = other.name, other.arguments
        self.variables, self.functions = other.variables, other.functions
        self.open, self.saved = other.open, other.saved
        self.assigned, self.choices = other.assigned, other.choices
        self.guessed, self.settings = other.guessed, other.settings
        self.status, self.traps = other.status, other.traps

    def get(self, name: str) -> Value | None:
        """None for a variable that is certainly not set."""
        position = decimal(name)
        if position is not None:
            return self._argument(position)
        if name in ("@", "*"):
            return self.arguments
        if name == "#":
            return str(len(self.arguments))
        if name == "?" and self.status is not None:
            return str(self.status)
        if name in _SPECIAL:
            return mark(f"${name}")
        value = self.variables.get(name)
        if value is not None:
            return (self._tool_given(name) or value) if value == "" else value
        if name in _ROOT:
            return _ROOT[name]
        if name == "BASH_SOURCE":
            return self.name
        if self.open or name not in self.assigned or _FROM_OUTSIDE.fullmatch(name):
            return mark(f"${name}")
        return None

    def _tool_given(self, name: str) -> str | None:
        """The tool that whoever runs the script names in an argument, as in ``IPTABLES=$1``."""
        return tool_called(name) if self.guessed and name in self.given else None

    def is_never_set(self, name: str) -> bool:
        """Whether nothing gives it a value, as far as the text says, and nothing outside does."""
        known = name in self.assigned or name in self.variables or name in _ROOT or self.open
        outside = _FROM_OUTSIDE.fullmatch(name) or tool_called(name) is not None
        return name.isidentifier() and not known and not outside

    def lacks(self, name: str) -> bool:
        """Whether a tool is called by a variable, as ``$IPT``, that the text gives no value."""
        name = name.strip("${}")
        return tool_called(name) is not None and name not in (*self.assigned, *self.variables)

    def is_default(self, name: str) -> bool:
        """Whether ``${name:-…}`` stands for what is behind the dash, as far as the text says."""
        unset = name not in self.variables and name not in _ROOT and not is_decimal(name)
        return unset and name not in (*_SPECIAL, "@", "*", "#")

    def _argument(self, number: int) -> str | None:
        if number == 0:
            return self.name
        if number <= len(self.arguments):
            return self.arguments[number - 1]
        more = any(map(self._may_be_several, range(len(self.arguments)), self.arguments))
        return mark(f"${number}") if more else None

    def _may_be_several(self, index: int, argument: str) -> bool:
        """Whether the argument may be several words, or none: one that the script is called with is
        one, whatever it is."""
        own = not (self.guessed or self.saved) and argument == mark(f"${index + 1}")
        return WHOLE.fullmatch(argument) is not None and not own

    def with_more_arguments(self, count: int, names: Collection[str] = ()) -> Environment:
        """As if the script were called with so many, where nobody has said what it is called with:
        who runs it gives what its commands need. Within a function they are not the script's, but
        where it is handed all of those on.
        ``names``: variables that the command needs; those that hold arguments have values then."""
        empty = [name for name in names if name in self.given and self.get(name) == ""]
        count = 0 if self.saved and not self.handed else count
        if not self.guessed or count > _MOST_ARGUMENTS or not (count or empty):
            return self
        other = self.copy()
        more = range(len(self.arguments) + 1, count + 1)
        other.arguments = (*self.arguments, *(mark(f"${number}") for number in more))
        for name in empty:
            other.set(name, mark(f"${name}"))
        return other

    def set(self, name: str, value: Value) -> None:
        self.variables[name] = value
        self.choices.pop(name, None)
        if not are_known(value):
            self.versions[name] = self.version(name) + 1

    def fill_in(self) -> None:
        """A file that is not here may set anything; what is empty before it is there for that."""
        for name in [name for name, value in self.variables.items() if value == ""]:
            self.set(name, mark(f"${name}"))

    def choose(self, name: str, options: tuple[Option, ...]) -> None:
        """It has one of these values, and nobody knows which."""
        self.set(name, mark(f"${name}"))
        self.choices[name] = options

    def options(self, name: str) -> tuple[Option, ...]:
        """The values of which it has one; none where it is known, or not known at all."""
        return self.choices.get(name, ())

    def put(self, name: str, value: Value | None) -> None:
        """Set it, or unset it."""
        self.choices.pop(name, None)
        if value is None:
            self.variables.pop(name, None)
        else:
            self.set(name, value)

    def held(self, name: str) -> Held:
        """What it has, to give it back later."""
        return Held(self.variables.get(name, _ROOT.get(name)), self.options(name))

    def hold(self, name: str, held: Held) -> None:
        self.put(name, held.value)
        if held.options:
            self.choices[name] = held.options

    def version(self, name: str) -> int:
        """Another one where what is not known of the variable may be something else."""
        return self.versions.get(name, 0)

    def make_local(self, name: str) -> None:
        if self.saved:
            self.saved[-1].setdefault(name, self.held(name))

    def empty_local(self, name: str) -> None:
        """A local variable that is given no value has none, not what there is outside."""
        if self.saved and name in self.saved[-1]:
            self.put(name, None)

    def leave(self) -> None:
        """The end of a function: its variables are what they were."""
        for name, held in self.saved.pop().items():
            self.hold(name, held)

    def text(self, name: str) -> str:
        """The value as one word; an array is its first item."""
        match self.get(name):
            case None:
                return ""
            case str(value):
                return value
            case items:
                return items[0] if items else ""

    # -- items of arrays ----------------------------------------------------------------------

    def items(self, name: str) -> tuple[str, ...]:
        """A variable that is no list is one of one item."""
        value = self.get(name)
        return (value,) if isinstance(value, str) else () if value is None else value

    def has_keys(self, name: str) -> bool:
        """Whether its items are called by words."""
        return is_named(self.variables.get(name))

    def has_item(self, name: str, key: str) -> bool:
        """Whether there may be one with that key."""
        items = self.items(name)
        known = is_list_known(items) or (is_named(items) and are_known(keys_of(items)))
        return not known or key.startswith("-") or index_in(items, key) is not None

    def item(self, name: str, key: str | None) -> str:
        """Empty where there is none; a mark where that is not known."""
        items = self.items(name)
        if key is None or not is_known(key):
            return mark(f"${name}[…]")
        if not is_list_known(items) and not _is_before_unknown(items, key):
            return mark(f"${name}[{key}]")
        if not is_named(items) and key.startswith("-"):
            key = from_the_end(keys_of(items), key)
        index = None if key is None else index_in(items, key)
        return "" if index is None else items[index]

    def set_item(self, name: str, key: str | None, value: str) -> None:
        items = self.items(name)
        named = is_named(items)
        if key is not None and not named and key.startswith("-"):
            key = from_the_end(keys_of(items), key)
        known = key is not None and is_known(key)
        if key is None or not (
            known and (is_list_known(items) or index_in(items, key) is not None)
        ):
            self.set(name, (mark(f"${name}"),))
        else:
            self.set(name, with_item(items, key, value))

    def unset_item(self, name: str, key: str | None) -> None:
        items = self.items(name)
        if key is None or not is_known(key) or not is_list_known(items):
            self.set(name, (mark(f"${name}"),))
        else:
            self.set(name, without_item(items, key))

    def separators(self) -> str:
        separators = self.text("IFS")
        return separators if is_known(separators) else BLANKS


_SPECIAL = frozenset("?$!-")


def _is_before_unknown(items: tuple[str, ...], key: str) -> bool:
    """What is not known may be several items of a list, and the next ones stand further behind; a
    word is the key of one value."""
    if is_named(items):
        return are_known(keys_of(items))
    unknown = next(n for n, item in enumerate(items) if not is_known(item))
    index = index_in(items, key)
    return index is not None and index < unknown


def merge_environments(ways: Sequence[tuple[Condition, Environment]]) -> Environment:
    """What is known whichever way was taken, where one is for certain."""
    (_, first), *others = ways
    merged = first.copy()
    merged.open = any(each.open for _, each in ways)
    merged.settings = frozenset.intersection(*(each.settings for _, each in ways))
    for _, other in others:
        merged.functions = {**other.functions, **merged.functions}
        if merged.arguments != other.arguments:
            merged.arguments = _either(merged.arguments, other.arguments)
    for name in dict.fromkeys(name for _, each in ways for name in each.variables):
        helds = [each.held(name) for _, each in ways]
        if any(held != helds[0] for held in helds):
            _merge(merged, name, ways)
    return merged


def _merge(merged: Environment, name: str, ways: Sequence[tuple[Condition, Environment]]) -> None:
    """The variable that has not the same value on all ways."""
    values = [each.held(name).value for _, each in ways]
    alike = all_alike(values) if name != "IFS" else None
    if alike is not None:
        merged.set(name, alike)
        return
    each_way = [
        (way, each.options(name) or (Option(way, value),))
        for (way, each), value in zip(ways, values, strict=True)
    ]
    options = one_of(each_way)
    if options:
        merged.choose(name, options)
    else:
        merged.set(name, mark(f"${name}"))


_MOST_ARGUMENTS = 1000
"""Nobody is asked for more: `${99999999999}` is a slip."""

_ITSELF = r"(?:\$\1|\$\{\1\}|\"\$\1\"|\"\$\{\1\}\")(?![^\s;])"
"""``X="$X"`` says that X is set from outside."""
_GIVES = re.compile(
    rf"\b([A-Za-z_]\w*)(?:\[[^][\n]*\])?\+?=(?!{_ITSELF})"
    r"|\b(?:for|select)\s+(\w+)"
    r"|\b(?:read|local|declare|export|unset|mapfile|readarray|typeset|getopts\s+\S+|printf\s+-v)"
    r"((?:[ \t]+-?\w+)+)|\(\(\s*(\w+)\s*(?:\+\+|--)"
)


def assigned_in(text: str) -> frozenset[str]:
    """The names that a text gives a value, wherever it does."""
    return frozenset(name for match in _GIVES.finditer(text) for name in _names_of(match))


def _names_of(assignment: re.Match[str]) -> list[str]:
    return [name for group in assignment.groups() if group for name in group.split()]


def _either(one: Sequence[str], other: Iterable[str]) -> tuple[str, ...]:
    pairs = list(zip(one, other, strict=False))
    return tuple(a if a == b else mark(f"${i}") for i, (a, b) in enumerate(pairs, 1))
