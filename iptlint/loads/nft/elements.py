"""The elements of sets and maps: of what type they are, and which go together."""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Iterator
from itertools import pairwise

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.dialects.nft.lowering import datatypes as d
from iptlint.dialects.nft.lowering.datatypes import DataType, Text
from iptlint.dialects.nft.lowering.set_contents import plain_ranges
from iptlint.loads.nft import checks
from iptlint.loads.nft.features import SINGLE_AMONG_RANGES
from iptlint.loads.nft.names import check_comment
from iptlint.loads.nft.readded import note_put, note_taken_out
from iptlint.loads.nft.state import OBJECTS, Jump, KnownSet
from iptlint.loads.nft.times import check_timeout
from iptlint.loads.nft.trial import Trial
from iptlint.loads.nft.values import Bad, differ, interval, parts_of, ranges_in
from iptlint.loads.refusal import Check

_MOST = 50
"""Refusals from which on no more elements are looked at."""
_MANY = 64
"""Elements from which on they are looked at together."""

MOST_COMPARED = 500
"""Elements of several parts up to which a new one is compared with each."""

STATEFUL = (t.Counter, t.Limit, t.Quota, t.ConnectionLimit, t.Last)


class ElementTrial:
    def __init__(self, trial: Trial) -> None:
        self._trial = trial

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
        if verb != "create" and _put_plain(known, elements, types):
            known.is_closed = False
            return
        overlap = checks.OVERLAP if verb is None else checks.ADDED
        self._of_set(known, elements, types, where, overlap, only_new=verb == "create")
        if known.size is not None and len(known.elements) > known.size:
            cause = f"the set {known.name} has more elements than its size, {known.size}"
            excess = min(len(known.elements) - known.size, len(elements.elements))
            first = elements.elements[-excess]
            self._trial.refuse(checks.SIZE, where, first, cause, "write a larger size")

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
            if value is None:
                known.put = None
                continue
            if known.is_closed and not known.holds(value):
                cause = f"there is no such element in {known.name} at this point"
                self._trial.refuse(checks.NO_ELEMENT, where, key, cause, "delete the line")
            known.elements.pop(value, None)
            known.intervals = [each for each in known.intervals if each != value[0]]
            note_taken_out(known, value[0])
        known.cut = True

    def _of_set(
        self,
        known: KnownSet,
        elements: t.SetLiteral,
        types: tuple[DataType | None, ...],
        where: BlockContext,
        overlap: Check,
        *,
        only_new: bool,
    ) -> None:
        for element in elements.elements:
            key, data = _split(element)
            if isinstance(key, t.Everything):
                known.is_closed = False
                continue
            if not self._form(known, element, key, data, where):
                continue
            self._extras(known, element, where)
            if data is not None:
                self._data(known, key, data, where)
            value = self._key(key, types, where)
            if value is None:
                known.is_closed = False
                continue
            if only_new and known.holds(value):
                self._exists(known, key, where)
            elif "interval" in known.flags and len(types) == 1:
                self._put_interval(known, key, value[0], where, overlap)
                if overlap is checks.ADDED:
                    note_put(self._trial, known, value[0], key, where)
            else:
                self._apart(known, key, value, where)
                self._put(known, key, value, data, where)
            if len(self._trial.refusals) > _MOST:
                return

    def _exists(self, known: KnownSet, key: t.Node, where: BlockContext) -> None:
        cause = f"the element is in {known.name} already, so create is refused"
        self._trial.refuse(checks.EXISTS, where, key, cause, "write add, which takes what is there")

    def _extras(self, known: KnownSet, element: t.Node, where: BlockContext) -> None:
        """A timeout, or a statement of its own, of an element."""
        for extra in element.extras if isinstance(element, t.Element) else ():
            if isinstance(extra, t.Timing):
                check_timeout(self._trial, where, extra.time)
            if isinstance(extra, t.Timing) and not known.timeout:
                cause = f"{known.name} keeps its elements for ever, and this one has a timeout"
                mend = f"add `flags timeout;` to the declaration of {known.name}"
                self._trial.refuse(checks.INVALID, where, extra, cause, mend)
            elif isinstance(extra, t.Comment):
                check_comment(self._trial, where, extra.text)
            elif isinstance(extra, STATEFUL) and not (known.takes_statements or self._trial.json):
                cause = f"the elements of {known.name} have no statements"
                mend = f"write the statement into the declaration of {known.name}"
                self._trial.refuse(checks.SET_STATEMENT, where, extra, cause, mend)
        self._statements(known, element, where)

    def _statements(self, known: KnownSet, element: t.Node, where: BlockContext) -> None:
        """Those of the element, one for each of the set, in its order."""
        extras = element.extras if isinstance(element, t.Element) else ()
        own = [extra for extra in extras if isinstance(extra, STATEFUL)]
        if not own or not known.statements or self._trial.json:
            return
        if tuple(map(type, own)) != known.statements:
            cause = f"the statements of the element are not those of {known.name}"
            mend = "write the same statements in the same order, or none"
            self._trial.refuse(checks.SET_STATEMENT, where, own[0], cause, mend)

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
            insert = _for_intervals(known, where)
            self._trial.refuse(checks.NO_INTERVAL, where, wide, cause, mend, insert=insert)
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
            known.is_closed = False
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

    def _apart(
        self,
        known: KnownSet,
        key: t.Node,
        value: tuple[tuple[int, int] | Text, ...],
        where: BlockContext,
    ) -> None:
        """net/netfilter/nft_set_pipapo.c, nft_pipapo_insert: where the first or the last of all
        values that an element stands for is in another one, that is; what lies around it is not."""
        if "interval" not in known.flags or len(known.elements) > MOST_COMPARED:
            return
        if value not in known.elements and any(meets(value, e) for e in known.elements):
            cause = f"it overlaps another element of {known.name}"
            mend = "delete one of the two: values of several parts are never merged"
            self._trial.refuse(checks.PARTS_OVERLAP, where, key, cause, mend)

    def _put(
        self,
        known: KnownSet,
        key: t.Node,
        value: tuple[tuple[int, int] | Text, ...],
        data: t.Node | None,
        where: BlockContext,
    ) -> None:
        if differ(known.elements.get(value), data):
            cause = f"the key is in {known.name} already, with other data"
            self._trial.refuse(checks.DUPLICATE_KEY, where, key, cause, "delete one of the two")
        known.elements[value] = data

    def _data(self, known: KnownSet, key: t.Node, data: t.Node, where: BlockContext) -> None:
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
        elif known.data is not None and known.data[0] in OBJECTS:
            self._object(known, known.data[0], data, where)
        else:
            self._data_value(known, key, data, where)
        if isinstance(data, t.Verdict) and isinstance(data.chain, t.Value):
            known.jumps.append(Jump(data.chain.text, data, where))

    def _object(self, known: KnownSet, kind: str, data: t.Node, where: BlockContext) -> None:
        table = known.table
        if isinstance(data, t.Value) and not table.has(kind, data.text):
            cause = f"there is no {kind} {data.text} in table {table.family.value} {table.name}"
            mend = f"declare it: `{kind} {data.text} {{ … }}`"
            missing = not table.whole
            self._trial.refuse(checks.MISSING, where, data, cause, mend, missing=missing)

    def _data_value(self, known: KnownSet, key: t.Node, data: t.Node, where: BlockContext) -> None:
        types = _datatypes(known.data)
        wide = next(ranges_in(data), None)
        if wide is not None and not known.to_ranges:
            cause = f"{known.name} maps to single values, and this is more"
            mend = f"write `: interval` in the type of {known.name}"
            self._trial.refuse(checks.SINGLETON, where, wide, cause, mend)
            return
        if wide is None and known.to_ranges:
            self._trial.forbids(SINGLE_AMONG_RANGES, where, key, "write a range of one: a-a")
        if types is None or isinstance(data, t.SetLiteral):
            return
        if len(parts_of(data)) == len(types):
            for part, kind in zip(parts_of(data), types, strict=True):
                value = None if kind is None else interval(part, kind)
                if isinstance(value, Bad):
                    self._trial.refuse(checks.VALUE, where, value.node, value.cause, value.mend)
                    return


_TYPE = re.compile(r"\btype(?:of)?\s[^;\n{}]*[^;\s{}]")
_FLAGS = re.compile(r"\bflags\s[^;\n{}]*[^;\s{}]")


def _for_intervals(known: KnownSet, where: BlockContext) -> tuple[int, str] | None:
    """Where the declaration of the set, in the same text, is to say that it holds intervals."""
    if known.declared is None or known.declared[1].source is not where.source:
        return None
    pattern, text = (_FLAGS, ", interval") if known.flags else (_TYPE, "; flags interval")
    written = pattern.search(where.source.text, known.declared[0].end)
    return (written.end(), text) if written else None


def _put_plain(known: KnownSet, elements: t.SetLiteral, types: tuple[DataType | None, ...]) -> bool:
    """Very many addresses at once; False where something is wrong with one of them."""
    kinds = tuple(kind for kind in types if kind is not None)
    if len(elements.elements) < _MANY or known.size is not None or known.is_map:
        return False
    if len(kinds) != len(types):
        return False
    ranges = plain_ranges(elements.elements, kinds)
    if ranges is None:
        return False
    if "interval" not in known.flags:
        return all(low == high for low, high in ranges)
    if known.merges:
        return True
    together = sorted({*known.intervals, *ranges})
    if any(before[1] >= after[0] for before, after in pairwise(together)):
        return False
    known.intervals = together
    return True


def meets(value: object, other: object) -> bool:
    """Whether the first or the last values of one are in the other."""
    if not isinstance(value, tuple) or not isinstance(other, tuple):
        return False
    return any(
        all(_is_in(part, whole, end) for part, whole in zip(value, other, strict=True))
        for end in (0, 1)
    )


def _is_in(part: tuple[int, int] | Text, whole: tuple[int, int] | Text, end: int) -> bool:
    if isinstance(part, Text) or isinstance(whole, Text):
        return part == whole
    return whole[0] <= part[end] <= whole[1]


def _split(element: t.Node) -> tuple[t.Node, t.Node | None]:
    if isinstance(element, t.Element):
        return element.key, element.data
    return element, None


def _count(number: int) -> str:
    return "one part" if number == 1 else f"{number} parts"


def _datatypes(names: tuple[str, ...] | None) -> tuple[DataType | None, ...] | None:
    return None if names is None else tuple(map(_datatype, names))


def elements_of(literal: t.SetLiteral) -> Iterator[tuple[t.Node, t.Node | None]]:
    return map(_split, literal.elements)


def _datatype(name: str) -> DataType | None:
    return d.BY_NAME.get(name)
