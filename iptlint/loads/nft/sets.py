"""Sets and maps: their declarations and their elements."""

from __future__ import annotations

from collections.abc import Sequence

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.dialects.nft.lowering import datatypes as d
from iptlint.loads.nft import checks
from iptlint.loads.nft.elements import STATEFUL, ElementTrial
from iptlint.loads.nft.features import DYNAMIC_IN_JSON, SET_AGAIN
from iptlint.loads.nft.objects import check_counting
from iptlint.loads.nft.selectors import is_port
from iptlint.loads.nft.state import OBJECTS, KnownSet, KnownTable
from iptlint.loads.nft.times import check_time, check_timeout
from iptlint.loads.nft.trial import Trial
from iptlint.loads.nft.values import LONGEST_KEY, OTHER_TYPES, octets, parts_of, types_of
from iptlint.model import Family
from iptlint.model.numbers import c_number

Placed = tuple[t.Item, BlockContext]

FLAGS = ("constant", "dynamic", "interval", "timeout")
POLICIES = ("performance", "memory")
_ONCE = ("timeout", "gc-interval", "size", "auto-merge")
_TIMES = {"timeout": check_timeout, "gc-interval": check_time}
_LONGEST_NAME = 255
_NO_SIZE = {"invalid", "integer", "string", "bitmask", "verdict", "ll_addr"}
"""Types that say nothing of how long a value is."""


class SetTrial:
    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        self.elements = ElementTrial(trial)

    # -- declarations --------------------------------------------------------------------------

    def declare(self, table: KnownTable, command: t.Command) -> None:
        name = command.path[-1].text
        table.sets.setdefault(name, KnownSet(name, command.kind, table))

    def define(
        self, table: KnownTable, command: t.Command, body: list[Placed], context: BlockContext
    ) -> None:
        """A set declared, perhaps again; the name is known to the table."""
        there = table.sets[command.path[-1].text]
        again = there.key is not None
        known = KnownSet(there.name, command.kind, table) if again else there
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
        self._properties(known, body)
        self._kind(known, body)
        self._length(known, command.path[-1], context)
        if not known.timeout and any(_collects(item) for item, _ in body):
            cause = f"{known.name} keeps its elements for ever, so there are none to collect"
            mend = "give it a timeout, or delete gc-interval"
            self._trial.refuse(checks.INVALID, context, command.path[-1], cause, mend)
        if again and there.differs(known):
            mend = "delete the set first, or repeat what it was declared with"
            self._trial.forbids(SET_AGAIN, context, command.path[-1], mend)
        elif not again:
            known.declared = (command.path[-1], context)
            known.is_closed = True
        elements = [(i.elements, where) for i, where in body if isinstance(i, t.Elements)]
        for literal, where in elements[-1:]:
            if isinstance(literal, t.SetLiteral) and _is_empty(literal, where):
                cause = "there are no elements between the braces"
                self._trial.refuse(checks.SYNTAX, where, literal, cause, "delete `elements`")
            elif isinstance(literal, t.SetLiteral) and literal.elements:
                self.elements.change(there, literal, where, None)

    def _kind(self, known: KnownSet, body: list[Placed]) -> None:
        """The kernel has sets of several kinds, and none that is all of these."""
        if "dynamic" in known.flags and known.data and known.data[0] in OBJECTS:
            item, where = next(each for each in body if isinstance(each[0], t.Flags))
            cause = f"no map to a {known.data[0]} is dynamic"
            mend = "delete the flag: only commands put elements into it"
            self._trial.refuse(checks.SET_KIND, where, item, cause, mend)
        for one, other in (("dynamic", "interval"), ("constant", "timeout")):
            if {one, other} <= known.flags | ({"timeout"} if known.timeout else set()):
                item, where = next(each for each in body if isinstance(each[0], t.Flags))
                cause = f"no set of the kernel is both {one} and {other}"
                self._trial.refuse(checks.SET_KIND, where, item, cause, "delete one of the two")

    def _length(self, known: KnownSet, name: t.Value, context: BlockContext) -> None:
        for words, what in ((known.key, "key"), (known.data, "data")):
            length = octets(d.BY_NAME.get(word) for word in words or ())
            if length > LONGEST_KEY:
                cause = f"the {what} of {known.name} has {length} octets: at most {LONGEST_KEY} fit"
                self._trial.refuse(checks.INVALID, context, name, cause, "make it of fewer parts")

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
        known.to_ranges = item.interval
        if isinstance(item, t.KeyType):
            name = command.path[-1]
            known.key = self._names(item.key, where, name, is_key=True)
            known.data = self._names(item.data, where, name) if item.data else None
            return
        known.key = _like(item.key)
        known.like_ports = any(map(is_port, parts_of(item.key)))
        known.data = None if item.data is None else _like(item.data)

    def _names(
        self, words: Sequence[t.Value], where: BlockContext, name: t.Value, *, is_key: bool = False
    ) -> tuple[str, ...]:
        """nft tells of a part what it is, and of the set that it is of one type."""
        for word in words:
            place = word if words[1:] else name
            if word.text.startswith("ct ") and not self._trial.json:
                cause = f"only typeof can say that a map leads to a {word.text}"
                mend = "write typeof and a selector in the place of type and its name"
                self._trial.refuse(checks.SYNTAX, where, word, cause, mend)
            elif word.text not in d.BY_NAME and word.text not in _DATA_WORDS:
                cause = f"there is no data type `{word.text}`"
                self._trial.refuse(checks.DATATYPE, where, word, cause, "write one of nft's types")
            elif word.text in _NO_SIZE and (is_key or word.text != "verdict"):
                cause = f"`{word.text}` does not say how long a value is"
                mend = "write typeof and an expression, as `typeof ip saddr`"
                self._trial.refuse(checks.UNQUALIFIED, where, place, cause, mend)
        return tuple(word.text for word in words)

    def _properties(self, known: KnownSet, body: list[Placed]) -> None:
        for item, where in body:
            if isinstance(item, t.Property) and item.name in _TIMES:
                _TIMES[item.name](self._trial, where, item.value)
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
        self._statements(known, body)

    def _statements(self, known: KnownSet, body: list[Placed]) -> None:
        for item, where in body:
            check_counting(self._trial, known.table, item, where, item)
        known.statements = tuple(type(i) for i, _ in body if isinstance(i, STATEFUL))
        for item, where in body:
            if self._trial.json and isinstance(item, t.Flags) and "dynamic" in known.flags:
                self._trial.lacks(DYNAMIC_IN_JSON, where, item)
            if known.merges and "interval" not in known.flags and _is_merge(item):
                cause = "auto-merge is for sets of intervals"
                mend = "add `flags interval`"
                insert = None if known.flags else (item.start, "flags interval; ")
                self._trial.refuse(checks.AUTO_MERGE, where, item, cause, mend, insert=insert)


_DATA_WORDS = OTHER_TYPES | {
    *("counter", "quota", "limit", "secmark", "synproxy", "tunnel"),
    *("ct helper", "ct timeout", "ct expectation"),
}


def _collects(item: t.Item) -> bool:
    return isinstance(item, t.Property) and item.name == "gc-interval"


def _is_empty(literal: t.SetLiteral, where: BlockContext) -> bool:
    """Written so; a variable may stand for nothing."""
    return not literal.elements and not where.source.text.startswith("$", literal.start)


def _is_merge(item: t.Item) -> bool:
    return isinstance(item, t.Property) and item.name == "auto-merge"


def _like(expression: t.Node) -> tuple[str, ...] | None:
    """The names of the types of an expression; None where one is not known."""
    if isinstance(expression, t.Value):
        return (expression.text,)
    types = types_of(expression, Family.INET, None)
    names = tuple(kind.name for kind in types if kind is not None)
    return names if len(names) == len(types) else None
