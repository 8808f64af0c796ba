"""Sets and maps: their declarations and their elements."""

from __future__ import annotations

from collections.abc import Sequence

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.dialects.nft.lowering import datatypes as d
from iptlint.loads.nft import checks
from iptlint.loads.nft.elements import STATEFUL, ElementTrial
from iptlint.loads.nft.state import KnownSet, KnownTable
from iptlint.loads.nft.trial import Trial
from iptlint.loads.nft.values import OTHER_TYPES, types_of
from iptlint.model import Family
from iptlint.model.numbers import c_number

Placed = tuple[t.Item, BlockContext]

FLAGS = ("constant", "dynamic", "interval", "timeout")
POLICIES = ("performance", "memory")
_ONCE = ("timeout", "gc-interval", "size", "auto-merge")
_LONGEST_NAME = 255
_NO_SIZE = {"integer", "string", "bitmask", "verdict", "ll_addr"}
"""Types that say nothing of how long a value is."""


class SetTrial:
    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        self.elements = ElementTrial(trial)

    # -- declarations --------------------------------------------------------------------------

    def declare(self, table: KnownTable, command: t.Command) -> None:
        name = command.path[-1].text
        table.sets.setdefault(name, KnownSet(name, command.kind))

    def define(
        self, table: KnownTable, command: t.Command, body: list[Placed], context: BlockContext
    ) -> None:
        """A set declared, perhaps again; the name is known to the table."""
        known = table.sets[command.path[-1].text]
        again = known.key is not None
        types = [(i, where) for i, where in body if isinstance(i, t.KeyType | t.KeyLike)]
        if not types:
            what = known.kind
            self._trial.refuse(
                checks.SET_KEY,
                context,
                command.path[-1],
                f"the {what} {known.name} does not say what is in it",
                "write a type, such as `type ipv4_addr;`",
            )
            return
        self._types(known, command, *types[-1])
        if not again:
            known.declared = (command.path[-1], context)
            known.is_closed = True
            self._properties(known, body)
            self._kind(known, body)
        elements = [(i.elements, where) for i, where in body if isinstance(i, t.Elements)]
        for literal, where in elements[-1:]:
            if isinstance(literal, t.SetLiteral) and not literal.elements:
                cause = "there are no elements between the braces"
                self._trial.refuse(checks.SYNTAX, where, literal, cause, "delete `elements`")
            elif isinstance(literal, t.SetLiteral):
                self.elements.change(known, literal, where, None)

    def _kind(self, known: KnownSet, body: list[Placed]) -> None:
        """The kernel has sets of several kinds, and none that is all of these."""
        for one, other in (("dynamic", "interval"), ("constant", "timeout")):
            if {one, other} <= known.flags | ({"timeout"} if known.timeout else set()):
                item, where = next(each for each in body if isinstance(each[0], t.Flags))
                cause = f"no set of the kernel is both {one} and {other}"
                self._trial.refuse(checks.SET_KIND, where, item, cause, "delete one of the two")

    def _types(
        self,
        known: KnownSet,
        command: t.Command,
        item: t.KeyType | t.KeyLike,
        where: BlockContext,
    ) -> None:
        if command.kind == "map" and not item.data:
            cause = f"the map {known.name} does not say what it maps to"
            mend = "write `type KEY : DATA;`, or make it a set"
            self._trial.refuse(checks.MAP_DATA, where, item, cause, mend)
        elif command.kind == "set" and item.data:
            cause = f"{known.name} is a set, and only a map has data"
            self._trial.refuse(checks.SYNTAX, where, item, cause, "write map in the place of set")
        if isinstance(item, t.KeyType):
            known.key = self._names(item.key, where)
            known.data = self._names(item.data, where) if item.data else None
            return
        known.key = _like(item.key)
        known.data = None if item.data is None else _like(item.data)

    def _names(self, words: Sequence[t.Value], where: BlockContext) -> tuple[str, ...]:
        for word in words:
            if word.text not in d.BY_NAME and word.text not in _DATA_WORDS:
                cause = f"there is no data type `{word.text}`"
                self._trial.refuse(checks.DATATYPE, where, word, cause, "write one of nft's types")
            elif word.text in _NO_SIZE and word.text != "verdict":
                cause = f"`{word.text}` does not say how long a value is"
                mend = "write typeof and an expression, as `typeof ip saddr`"
                self._trial.refuse(checks.UNQUALIFIED, where, word, cause, mend)
        return tuple(word.text for word in words)

    def _properties(self, known: KnownSet, body: list[Placed]) -> None:
        for item, where in body:
            match item:
                case t.Flags(flags):
                    check = checks.SET_FLAG
                    self._trial.refuse_unknown_flags(check, where, flags, FLAGS, "set")
                    known.flags |= {flag.text for flag in flags}
                case t.Property("timeout"):
                    known.timeout = True
                case t.Property("auto-merge"):
                    known.merges = True
                case t.Property("size", t.Value(text)):
                    known.size = c_number(text)
                case t.Policy(t.Value(text) as word) if text not in POLICIES:
                    cause = f"`{text}` is no policy of a set"
                    self._trial.refuse(
                        checks.SYNTAX, where, word, cause, "write performance or memory"
                    )
        known.timeout |= "timeout" in known.flags
        known.statements = tuple(type(i) for i, _ in body if isinstance(i, STATEFUL))
        for item, where in body:
            if known.merges and "interval" not in known.flags and _is_merge(item):
                cause = "auto-merge is for sets of intervals"
                self._trial.refuse(checks.AUTO_MERGE, where, item, cause, "add `flags interval`")


_DATA_WORDS = OTHER_TYPES | {
    *("counter", "quota", "limit", "secmark", "synproxy", "tunnel"),
    *("ct helper", "ct timeout", "ct expectation"),
}


def _is_merge(item: t.Item) -> bool:
    return isinstance(item, t.Property) and item.name == "auto-merge"


def _like(expression: t.Node) -> tuple[str, ...] | None:
    """The names of the types of an expression; None where one is not known."""
    if isinstance(expression, t.Value):
        return (expression.text,)
    types = types_of(expression, Family.INET, None)
    names = tuple(kind.name for kind in types if kind is not None)
    return names if len(names) == len(types) else None
