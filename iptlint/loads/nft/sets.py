"""Sets and maps: their declarations and their elements."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.dialects.nft.lowering import datatypes as d
from iptlint.dialects.nft.lowering.datatypes import DataType, Text
from iptlint.loads.nft import checks
from iptlint.loads.nft.state import Jump, KnownSet, KnownTable
from iptlint.loads.nft.trial import Trial
from iptlint.loads.nft.values import OTHER_TYPES, Bad, interval, parts_of, ranges_in, types_of
from iptlint.loads.refusal import Check
from iptlint.model import Family
from iptlint.model.numbers import c_number

Placed = tuple[t.Item, BlockContext]

FLAGS = ("constant", "dynamic", "interval", "timeout")
POLICIES = ("performance", "memory")
_ONCE = ("timeout", "gc-interval", "size", "auto-merge")
_STATEFUL = (t.Counter, t.Limit, t.Quota, t.ConnectionLimit, t.Last)
_LONGEST_NAME = 255
_NO_SIZE = {"integer", "string", "bitmask", "verdict", "ll_addr"}
"""Types that say nothing of how long a value is."""


class SetTrial:
    def __init__(self, trial: Trial) -> None:
        self._trial = trial

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
            self._properties(known, body, context)
        for item, where in body:
            if isinstance(item, t.Elements) and isinstance(item.elements, t.SetLiteral):
                self.change(known, item.elements, where, None)

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

    def _properties(self, known: KnownSet, body: list[Placed], context: BlockContext) -> None:
        for item, where in body:
            match item:
                case t.Flags(flags):
                    self._flags(flags, where)
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
        known.statements = tuple(type(i) for i, _ in body if isinstance(i, _STATEFUL))
        for item, where in body:
            if known.merges and "interval" not in known.flags and _is_merge(item):
                cause = "auto-merge is for sets of intervals"
                self._trial.refuse(checks.AUTO_MERGE, where, item, cause, "add `flags interval`")

    def _flags(self, flags: Sequence[t.Value], where: BlockContext) -> None:
        for flag in flags:
            if flag.text not in FLAGS:
                cause = f"`{flag.text}` is no flag of a set"
                mend = f"write one of {', '.join(FLAGS)}"
                self._trial.refuse(checks.SET_FLAG, where, flag, cause, mend)

    # -- elements ------------------------------------------------------------------------------

    def change(
        self,
        known: KnownSet,
        elements: t.SetLiteral,
        where: BlockContext,
        verb: str | None,
    ) -> None:
        """Elements put into a set, or taken out of it."""
        types = _datatypes(known.key)
        if types is None:
            return
        if verb == "delete":
            self._take_out(known, elements, types, where)
            return
        self._of_set(
            known, elements, types, where, checks.OVERLAP if verb is None else checks.ADDED
        )
        if known.size is not None and len(known.elements) > known.size:
            cause = f"the set {known.name} has more elements than its size, {known.size}"
            self._trial.refuse(checks.SIZE, where, elements, cause, "write a larger size")

    def _take_out(
        self,
        known: KnownSet,
        elements: t.SetLiteral,
        types: tuple[DataType | None, ...],
        where: BlockContext,
    ) -> None:
        for element in elements.elements:
            key, _ = _split(element)
            value = self._key(key, types, where)
            if value is None or len(value) != 1:
                continue
            known.elements.pop(value, None)
            known.intervals = [each for each in known.intervals if each != value[0]]

    def _of_set(
        self,
        known: KnownSet,
        elements: t.SetLiteral,
        types: tuple[DataType | None, ...],
        where: BlockContext,
        overlap: Check,
    ) -> None:
        for element in elements.elements:
            key, data = _split(element)
            if isinstance(key, t.Everything):
                continue
            if not self._form(known, element, key, data, where):
                continue
            if data is not None:
                self._data(known, data, where)
            value = self._key(key, types, where)
            if value is None:
                continue
            if "interval" in known.flags and len(types) == 1:
                self._put_interval(known, key, value[0], where, overlap)
            else:
                self._put(known, key, value, data, where)
            if len(self._trial.refusals) > _MOST:
                return

    def _form(
        self,
        known: KnownSet,
        element: t.Node,
        key: t.Node,
        data: t.Node | None,
        where: BlockContext,
    ) -> bool:
        """Whether the element is of the kind that the set holds."""
        if isinstance(key, t.SetLiteral | t.SetReference | t.Lookup):
            return False
        if known.is_map and data is None and known.data is not None:
            cause = f"{known.name} is a map, and the element has no data"
            self._trial.refuse(checks.ELEMENT, where, element, cause, "write `key : data`")
            return False
        if not known.is_map and data is not None:
            cause = f"{known.name} is a set, and only the elements of a map have data"
            mend = "declare it as a map, or delete what is behind the colon"
            self._trial.refuse(checks.NOT_A_SET_OF_MAPPINGS, where, element, cause, mend)
            return False
        wide = next(ranges_in(key), None)
        if wide is not None and "interval" not in known.flags:
            what = "prefix" if isinstance(wide, t.Prefix) else "range"
            cause = f"the {known.kind} {known.name} holds single values, and this is a {what}"
            mend = f"add `flags interval;` to the declaration of {known.name}"
            self._trial.refuse(checks.NO_INTERVAL, where, wide, cause, mend)
            return False
        return True

    def _key(
        self, key: t.Node, types: tuple[DataType | None, ...], where: BlockContext
    ) -> tuple[tuple[int, int] | Text, ...] | None:
        """The values of each part; None where they are not known, or refused."""
        parts = parts_of(key)
        if len(parts) != len(types):
            names = " . ".join(kind.name if kind else "…" for kind in types)
            cause = f"the element has {_count(len(parts))}, and its set has {_count(len(types))}"
            self._trial.refuse(checks.ELEMENT, where, key, cause, f"write values of {names}")
            return None
        made = []
        for part, kind in zip(parts, types, strict=True):
            value = None if kind is None else interval(part, kind)
            if isinstance(value, Bad):
                self._trial.refuse(checks.VALUE, where, value.node, value.cause, value.mend)
                return None
            made.append(value)
        known = tuple(value for value in made if value is not None)
        return known if len(known) == len(made) else None

    def _put_interval(
        self,
        known: KnownSet,
        key: t.Node,
        value: tuple[int, int] | Text,
        where: BlockContext,
        overlap: Check,
    ) -> None:
        """Intervals of a set do not overlap, unless nft merges them; one may be there twice."""
        if known.merges or isinstance(value, Text):
            return
        at = bisect_left(known.intervals, value)
        beside = known.intervals[max(0, at - 1) : at + 1]
        if value in beside:
            return
        other = next((each for each in beside if each[0] <= value[1] and value[0] <= each[1]), None)
        if other is None:
            insort(known.intervals, value)
            return
        cause = f"it overlaps another element of {known.name}"
        mend = f"add `auto-merge;` to the declaration of {known.name}, or delete one of the two"
        self._trial.refuse(overlap, where, key, cause, mend)

    def _put(
        self,
        known: KnownSet,
        key: t.Node,
        value: tuple[tuple[int, int] | Text, ...],
        data: t.Node | None,
        where: BlockContext,
    ) -> None:
        if value in known.elements and data != known.elements[value]:
            cause = f"the key is in {known.name} already, with other data"
            self._trial.refuse(checks.DUPLICATE_KEY, where, key, cause, "delete one of the two")
        known.elements[value] = data

    def _data(self, known: KnownSet, data: t.Node, where: BlockContext) -> None:
        is_verdict = isinstance(data, t.Verdict | t.JumpBlock)
        if known.data == ("verdict",):
            if not is_verdict and not isinstance(data, t.Variable):
                cause = f"{known.name} is a verdict map, and this is no verdict"
                self._trial.refuse(
                    checks.ELEMENT, where, data, cause, "write accept, drop or jump …"
                )
        elif is_verdict and known.data is not None:
            cause = f"{known.name} maps to {' . '.join(known.data)}, and this is a verdict"
            self._trial.refuse(checks.ELEMENT, where, data, cause, "declare it as `: verdict`")
        else:
            self._data_value(known, data, where)
        if isinstance(data, t.Verdict) and isinstance(data.chain, t.Value):
            known.jumps.append(Jump(data.chain.text, data, where))

    def _data_value(self, known: KnownSet, data: t.Node, where: BlockContext) -> None:
        types = _datatypes(known.data)
        if types is None or isinstance(data, t.SetLiteral):
            return
        if len(parts_of(data)) == len(types):
            for part, kind in zip(parts_of(data), types, strict=True):
                value = None if kind is None else interval(part, kind)
                if isinstance(value, Bad):
                    self._trial.refuse(checks.VALUE, where, value.node, value.cause, value.mend)
                    return


_MOST = 50
"""Refusals from which on no more elements are looked at."""

_DATA_WORDS = OTHER_TYPES | {
    *("counter", "quota", "limit", "secmark", "synproxy", "tunnel"),
    *("ct helper", "ct timeout", "ct expectation"),
}


def _is_merge(item: t.Item) -> bool:
    return isinstance(item, t.Property) and item.name == "auto-merge"


def _split(element: t.Node) -> tuple[t.Node, t.Node | None]:
    if isinstance(element, t.Element):
        return element.key, element.data
    return element, None


def _count(number: int) -> str:
    return "one part" if number == 1 else f"{number} parts"


def _like(expression: t.Node) -> tuple[str, ...] | None:
    """The names of the types of an expression; None where one is not known."""
    if isinstance(expression, t.Value):
        return (expression.text,)
    types = types_of(expression, Family.INET, None)
    names = tuple(kind.name for kind in types if kind is not None)
    return names if len(names) == len(types) else None


def _datatypes(names: tuple[str, ...] | None) -> tuple[DataType | None, ...] | None:
    return None if names is None else tuple(map(_datatype, names))


def elements_of(literal: t.SetLiteral) -> Iterator[tuple[t.Node, t.Node | None]]:
    return map(_split, literal.elements)


def _datatype(name: str) -> DataType | None:
    return d.BY_NAME.get(name)
