"""The tests of a rule: whether what is compared can be, and what the rule then is about."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering import datatypes as d
from iptlint.dialects.nft.lowering.datatypes import DataType, article
from iptlint.loads.nft import checks
from iptlint.loads.nft.elements import elements_of
from iptlint.loads.nft.features import MARKS_ASKED, PORTS_OF_A_SET
from iptlint.loads.nft.part_trial import PartTrial
from iptlint.loads.nft.state import KnownSet
from iptlint.loads.nft.unnamed_maps import check_apart
from iptlint.loads.nft.values import (
    LOOSE,
    WRONG,
    Bad,
    alike,
    integer_length,
    interval,
    is_range,
    is_reckoned_number,
    parts_of,
    presence,
    scalar,
    single,
    types_of,
    yes_or_no,
)

_WRITTEN = (t.Value, t.Prefix, t.Range, t.Bitwise, t.Listing)
_FLAGS = [kind for kind in d.BY_NAME.values() if kind.flags]
_ORDERS = ("<", ">", "<=", ">=")


class MatchTrial(PartTrial):
    """Of one rule."""

    def match(self, left: t.Expression, operator: str | None, right: t.Expression) -> None:
        wrong = WRONG.get(left.key) if isinstance(left, t.Meta) else None
        if wrong is not None and (bad := wrong(right)) is not None:
            self._trial.refuse(checks.DAY, self._context, bad.node, bad.cause, bad.mend)
            return
        if operator == "!" and not self._negates(left, right):
            return
        if isinstance(right, t.SetReference | t.SetLiteral) and not self._selectors.look_up(left):
            return
        match right:
            case t.SetReference():
                self._in_set(left, operator, right)
            case t.SetLiteral():
                self._in_braces(left, operator, right)
            case t.Concat():
                cause = "several values at once are compared with those of a set only"
                self._trial.refuse(
                    checks.RELATION, self._context, right, cause, "write { … } around them"
                )
            case _:
                self._value(left, operator, right)
        if operator in (None, "=="):
            self._learn(left, right)

    def _negates(self, left: t.Expression, right: t.Expression) -> bool:
        """``!`` says that a flag is not set."""
        if isinstance(left, t.Bitwise):
            cause, mend = "`!` asks a field for a flag, and this is reckoned", "write `!=`"
        elif self.types(left)[0] not in (None, *_FLAGS) or not isinstance(right, _WRITTEN):
            cause, mend = "`!` says that a flag is not set, and this is no flag", "write `!=`"
        else:
            return True
        self._refuse(checks.NEGATION, left, cause, mend)
        return False

    def types(self, expression: t.Node) -> tuple[DataType | None, ...]:
        return types_of(expression, self._family, self._selectors.protocols.network)

    def _value(self, left: t.Expression, operator: str | None, right: t.Expression) -> None:
        types = self.types(left)
        if isinstance(left, t.Concat):
            return
        if operator in _ORDERS and is_range(right):
            cause = f"`{operator}` compares with one value, and this is more"
            self._trial.refuse(checks.RELATION, self._context, right, cause, "write one value")
        if types[0] is not None and isinstance(right, _WRITTEN):
            made = (
                presence(left, right, types[0]) or yes_or_no(left, right) or single(right, types[0])
            )
            crosses = isinstance(left, t.Meta) and left.key in ("hour", "day", "time")
            if isinstance(made, Bad) and not crosses:
                self.bad(made)

    def bad(self, bad: Bad) -> None:
        self._trial.refuse(checks.VALUE, self._context, bad.node, bad.cause, bad.mend)

    def _in_braces(self, left: t.Expression, operator: str | None, right: t.SetLiteral) -> None:
        if operator in _ORDERS:
            cause = f"`{operator}` compares with one value, and a set has more"
            self._trial.refuse(checks.RELATION, self._context, right, cause, "write one value")
            return
        if not right.elements:
            cause = "the set has no elements"
            mend = "name some, or delete the rule"
            self._trial.refuse(checks.EMPTY_SET, self._context, right, cause, mend)
            return
        if not self._is_no_truth(left, right):
            self.keys(left, right)

    def keys(self, left: t.Expression, literal: t.SetLiteral, *, mapped: bool = False) -> None:
        types = self.types(left)
        for key, data in elements_of(literal):
            if data is not None and not mapped:
                cause = "a test asks a set, and this is an element of a map"
                self._trial.refuse(checks.MAPPING, self._context, key, cause, "write vmap or map")
                return
            if isinstance(key, t.Everything | t.SetReference | t.SetLiteral):
                continue
            if not self._key(key, types):
                return
        check_apart(self._trial, self._context, literal, types)

    def _key(self, key: t.Node, types: tuple[DataType | None, ...]) -> bool:
        parts = parts_of(key)
        if len(parts) != len(types):
            cause = f"the element has {len(parts)} parts, and the test has {len(types)}"
            self._trial.refuse(
                checks.ELEMENT, self._context, key, cause, "write a value for each part"
            )
            return False
        for part, kind in zip(parts, types, strict=True):
            made = None if kind is None else interval(part, kind)
            if isinstance(made, Bad):
                self.bad(made)
                return False
        return True

    def _is_no_truth(self, left: t.Expression, literal: t.SetLiteral) -> bool:
        bad = next(filter(None, (yes_or_no(left, key) for key, _ in elements_of(literal))), None)
        if bad is not None:
            self.bad(bad)
        return bad is not None

    def _in_set(self, left: t.Expression, operator: str | None, right: t.SetReference) -> None:
        known = self.set_of(right)
        if known is None:
            return
        if operator in _ORDERS:
            cause = f"`{operator}` compares with one value, and a set has more"
            self._trial.refuse(checks.RELATION, self._context, right, cause, "write one value")
        else:
            self.same_type(left, known, right)

    def set_of(self, reference: t.SetReference) -> KnownSet | None:
        known = self._table.sets.get(reference.name.text)
        if known is None:
            table = self._table
            cause = (
                f"there is no set {reference.name.text} in table {table.family.value} {table.name}"
            )
            mend = f"declare it before this line: `set {reference.name.text} {{ type …; }}`"
            self._trial.refuse(
                checks.NO_SET, self._context, reference, cause, mend, missing=not table.whole
            )
        else:
            self._chain.maps.append(known.name)
        return known

    def same_type(
        self, left: t.Expression, known: KnownSet, node: t.Node, *, written: bool = False
    ) -> None:
        """``written``: a rule writes it to the set, which takes a number for anything."""
        if known.like_ports and self._trial.lacks(PORTS_OF_A_SET, self._context, node):
            return
        if known.key is None:
            return
        names = tuple(filter(None, self._names(left, known.key if written else ())))
        if len(names) != len(parts_of(left)):
            return
        loose = LOOSE | {"integer"} if written else LOOSE
        if names == known.key or alike(names, known.key, loose):
            return
        if known.is_map and not written and known.key == ("mark",) and names[0] != "ifname":
            self._trial.lacks(MARKS_ASKED, self._context, node)
        else:
            cause = (
                f"{known.name} holds {' . '.join(known.key)}, and the test reads "
                f"{' . '.join(names)}"
            )
            mend = "test what is in the set, or declare another set"
            self._trial.refuse(checks.MISMATCH, self._context, node, cause, mend)

    def _names(self, key: t.Expression, own: tuple[str, ...]) -> Iterator[str | None]:
        """The type of each part; a value is of the type that the set has there."""
        for part, kind, held in zip_longest(parts_of(key), self.types(key), own):
            if isinstance(part, t.Value):
                yield held
            elif kind is not None:
                yield kind.name
            else:
                yield "integer" if is_reckoned_number(part) else None

    def wrong_length(self, value: t.Node, wanted: DataType | None) -> bool:
        """Whether it is a number of another length than what it is written to, which is told."""
        length = integer_length(value, self.types(value)[0])
        if wanted is None or not wanted.width or length in (None, wanted.width):
            return False
        cause = f"{article(wanted.what)} has {wanted.width} bits, and this number {length}"
        self._refuse(checks.MISMATCH, value, cause, "write a value of the same type")
        return True

    def _learn(self, left: t.Expression, right: t.Expression) -> None:
        """Single values of a field that says which protocol comes next."""
        if isinstance(left, t.Concat):
            return
        types = self.types(left)
        if types[0] is None:
            return
        self._selectors.learn(left, list(_numbers(right, types[0])))


def _numbers(right: t.Expression, type: DataType) -> Iterator[int]:
    match right:
        case t.Value():
            made = scalar(right, type)
            if isinstance(made, int):
                yield made
        case t.SetLiteral(elements):
            for element in elements:
                key = element.key if isinstance(element, t.Element) else element
                if isinstance(key, t.Value):
                    yield from _numbers(key, type)
