"""The rules of a chain: their tests, and the statements in their order."""

from __future__ import annotations

from collections.abc import Iterator

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.dialects.nft.lowering.datatypes import DataType
from iptlint.dialects.nft.lowering.symbols import PROTOCOL_WORDS
from iptlint.loads.nft import checks
from iptlint.loads.nft.elements import elements_of
from iptlint.loads.nft.names import check_comment, check_name
from iptlint.loads.nft.selectors import SelectorTrial
from iptlint.loads.nft.state import Jump, KnownChain, KnownSet, KnownTable
from iptlint.loads.nft.statements import OBJECTS_OF, StatementTrial, is_terminal
from iptlint.loads.nft.trial import Trial
from iptlint.loads.nft.values import (
    Bad,
    interval,
    is_range,
    parts_of,
    scalar,
    single,
    types_of,
)
from iptlint.model import Family

_CT_PORTS = ("proto-src", "proto-dst")
_WRITTEN = (t.Value, t.Prefix, t.Range, t.Bitwise, t.Listing)
_ORDERS = ("<", ">", "<=", ">=")


class RuleTrial:
    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    def rule(
        self, table: KnownTable, chain: KnownChain, rule: t.Rule, context: BlockContext
    ) -> None:
        """Its statements up to the first that is refused, which hides the others."""
        one = OneRule(self._trial, table, chain, context)
        before = len(self._trial.refusals)
        if rule.comment is not None:
            check_comment(self._trial, context, rule.comment)
        terminal: t.Node | None = None
        for statement in rule.statements:
            if terminal is not None:
                cause = "nothing that stands behind a verdict is ever done"
                mend = "write it before the verdict, or delete it"
                self._trial.refuse(checks.TERMINAL, context, statement, cause, mend)
                return
            if isinstance(statement, t.JumpBlock):
                self._block(table, chain, statement, context)
            one.statement(statement)
            if len(self._trial.refusals) > before:
                return
            if is_terminal(statement):
                terminal = statement

    def _block(
        self, table: KnownTable, chain: KnownChain, block: t.JumpBlock, context: BlockContext
    ) -> None:
        """A chain without a name is looked at as a part of the one that calls it."""
        for item in block.items:
            if isinstance(item, t.Rule):
                self.rule(table, chain, item, context)


class OneRule:
    """One rule on trial."""

    def __init__(
        self, trial: Trial, table: KnownTable, chain: KnownChain, context: BlockContext
    ) -> None:
        self._trial = trial
        self._table = table
        self._chain = chain
        self._context = context
        self._selectors = SelectorTrial(trial, table.family, chain, context)
        self._statements = StatementTrial(trial, table, chain, context, self._selectors)

    @property
    def _family(self) -> Family:
        return self._table.family

    def statement(self, statement: t.Node) -> None:
        match statement:
            case t.Match(left, operator, right):
                if self._selectors.read(left):
                    self._match(left, operator, right)
            case t.MaskMatch(left) | t.Meter(key=left):
                self._selectors.read(left)
            case t.VerdictMap(key, mapping):
                if self._selectors.read(key):
                    self._map(key, mapping, verdicts=True)
            case t.Verdict(_, t.Value() as target):
                check_name(self._trial, self._context, target)
                self._chain.jumps.append(Jump(target.text, statement, self._context))
            case t.Mangle(target, value):
                self._mangle(target, value)
            case t.SetUpdate():
                self._update(statement)
            case _:
                self._action(statement)

    def _action(self, statement: t.Node) -> None:
        self._statements.check(statement)
        if isinstance(statement, t.Nat):
            self._argument(statement.address)
            self._statements.check_port(statement)
            self._argument(statement.port)
        for expression in _expressions(statement):
            self._argument(expression)

    def _argument(self, expression: t.Node | None) -> None:
        """What else is read: the address of a translation may be looked up in a map."""
        if isinstance(expression, t.Lookup) and self._selectors.read(expression.key):
            self._map(expression.key, expression.mapping, verdicts=False)

    # -- tests -------------------------------------------------------------------------------

    def _match(self, left: t.Expression, operator: str | None, right: t.Expression) -> None:
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

    def _types(self, expression: t.Node) -> tuple[DataType | None, ...]:
        return types_of(expression, self._family, self._selectors.protocols.network)

    def _value(self, left: t.Expression, operator: str | None, right: t.Expression) -> None:
        types = self._types(left)
        if isinstance(left, t.Concat):
            return
        unknown = self._selectors.protocols.transport is None
        if unknown and isinstance(left, t.Ct) and left.key in _CT_PORTS:
            cause = f"ct {left.key} is of a protocol, and the rule tests none before"
            mend = "test meta l4proto before it"
            self._trial.refuse(checks.CT_PORT, self._context, right, cause, mend)
            return
        if operator in _ORDERS and is_range(right):
            cause = f"`{operator}` compares with one value, and this is more"
            self._trial.refuse(checks.RELATION, self._context, right, cause, "write one value")
        if types[0] is not None and isinstance(right, _WRITTEN):
            made = single(right, types[0])
            crosses = isinstance(left, t.Meta) and left.key in ("hour", "day", "time")
            if isinstance(made, Bad) and not crosses:
                self._bad(made)

    def _bad(self, bad: Bad) -> None:
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
        self._keys(left, right)

    def _keys(self, left: t.Expression, literal: t.SetLiteral, *, mapped: bool = False) -> None:
        types = self._types(left)
        for key, data in elements_of(literal):
            if data is not None and not mapped:
                cause = "a test asks a set, and this is an element of a map"
                self._trial.refuse(checks.MAPPING, self._context, key, cause, "write vmap or map")
                return
            if isinstance(key, t.Everything | t.SetReference | t.SetLiteral):
                continue
            if not self._key(key, types):
                return

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
                self._bad(made)
                return False
        return True

    def _in_set(self, left: t.Expression, operator: str | None, right: t.SetReference) -> None:
        known = self._set(right)
        if known is None:
            return
        if operator in _ORDERS:
            cause = f"`{operator}` compares with one value, and a set has more"
            self._trial.refuse(checks.RELATION, self._context, right, cause, "write one value")
        else:
            self._same_type(left, known, right)

    def _set(self, reference: t.SetReference) -> KnownSet | None:
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

    def _same_type(
        self, left: t.Expression, known: KnownSet, node: t.Node, *, written: bool = False
    ) -> None:
        """``written``: a rule writes it to the set, which takes a number for anything."""
        types = self._types(left)
        if known.key is None or None in types:
            return
        names = tuple(kind.name for kind in types if kind is not None)
        loose = _LOOSE | {"integer"} if written else _LOOSE
        if names != known.key and not _alike(names, known.key, loose):
            cause = (
                f"{known.name} holds {' . '.join(known.key)}, and the test reads "
                f"{' . '.join(names)}"
            )
            mend = "test what is in the set, or declare another set"
            self._trial.refuse(checks.MISMATCH, self._context, node, cause, mend)

    def _learn(self, left: t.Expression, right: t.Expression) -> None:
        """Single values of a field that says which protocol comes next."""
        if isinstance(left, t.Concat):
            return
        types = self._types(left)
        if types[0] is None:
            return
        self._selectors.learn(left, list(_numbers(right, types[0])))

    # -- maps ------------------------------------------------------------------------------------

    def _map(self, key: t.Expression, mapping: t.Node, *, verdicts: bool) -> None:
        word = next((part for part in parts_of(key) if isinstance(part, t.Value)), None)
        if word is not None:
            cause = f"a map is asked for what a packet has, and `{word.text}` is a value"
            self._trial.refuse(checks.CONSTANT, self._context, word, cause, "write a selector")
            return
        match mapping:
            case t.SetReference():
                known = self._set(mapping)
                if known is None:
                    return
                if not known.is_map:
                    cause = f"{known.name} is a set, and this asks a map"
                    mend = f"declare it as a map: `map {known.name} {{ type … : …; }}`"
                    self._trial.refuse(checks.NOT_A_MAP, self._context, mapping, cause, mend)
                    return
                self._same_type(key, known, mapping)
            case t.SetLiteral():
                self._keys(key, mapping, mapped=True)
                for _, data in elements_of(mapping):
                    self._datum(data, mapping, verdicts=verdicts)

    def _datum(self, data: t.Node | None, mapping: t.Node, *, verdicts: bool) -> None:
        is_verdict = isinstance(data, t.Verdict | t.JumpBlock)
        if data is None:
            cause = "an element of a map has data behind a colon"
            self._trial.refuse(checks.SYNTAX, self._context, mapping, cause, "write `key : data`")
        elif verdicts and not is_verdict and not isinstance(data, t.Variable):
            cause = "vmap maps to verdicts, and this is none"
            self._trial.refuse(
                checks.ELEMENT, self._context, data, cause, "write accept, drop or jump …"
            )
        elif is_verdict and not verdicts:
            cause = "map maps to values, and this is a verdict"
            self._trial.refuse(checks.ELEMENT, self._context, data, cause, "write vmap")
        if isinstance(data, t.Verdict) and isinstance(data.chain, t.Value):
            self._chain.jumps.append(Jump(data.chain.text, data, self._context))

    # -- what is written -------------------------------------------------------------------------

    def _mangle(self, target: t.Selector, value: t.Expression) -> None:
        if not self._selectors.read(target):
            return
        self._statements.check_target(target)
        match value:
            case t.Lookup(key, mapping):
                if self._selectors.read(key):
                    self._map(key, mapping, verdicts=False)
            case t.SetLiteral() | t.SetReference():
                cause = "a value is set, and a set has many"
                self._trial.refuse(checks.MISMATCH, self._context, value, cause, "write one value")
            case t.Value(text) if text in PROTOCOL_WORDS and value.kind is t.Kind.SYMBOL:
                cause = f"`{text}` begins a test here, and is no value"
                self._trial.refuse(checks.SYNTAX, self._context, value, cause, "write its number")
            case t.Value() if target in OBJECTS_OF:
                self._statements.check_object(OBJECTS_OF[target], value)
            case t.Value():
                kind = self._types(target)[0]
                made = None if kind is None else single(value, kind)
                if isinstance(made, Bad):
                    self._bad(made)
            case _ if self._selectors.read(value):
                self._same_value(target, value)

    def _same_value(self, target: t.Selector, value: t.Expression) -> None:
        if isinstance(value, t.Concat | t.Bitwise | t.Listing | t.Range | t.Prefix):
            return
        wanted, given = self._types(target)[0], self._types(value)[0]
        if wanted is None or given is None or "integer" in (wanted.name, given.name):
            return
        if wanted.name != given.name:
            cause = f"a {wanted.what} is set, and this is a {given.what}"
            self._trial.refuse(
                checks.MISMATCH, self._context, value, cause, "write a value of the same type"
            )

    def _update(self, statement: t.SetUpdate) -> None:
        if not isinstance(statement.target, t.SetReference):
            return
        known = self._set(statement.target)
        if known is None:
            return
        element = statement.element
        key = element.key if isinstance(element, t.Element) else element
        if not self._selectors.read(key):
            return
        self._statements.check_update(statement, known)
        if all(not isinstance(part, t.Value) for part in parts_of(key)):
            self._same_type(key, known, key, written=True)
        data = element.data if isinstance(element, t.Element) else None
        if data is not None:
            self._update_data(known, data)

    def _update_data(self, known: KnownSet, data: t.Node) -> None:
        if isinstance(data, t.Verdict | t.Value) or not self._selectors.read(data):
            return
        types = self._types(data)
        if known.data is None or None in types:
            return
        names = tuple(kind.name for kind in types if kind is not None)
        if "integer" not in names and names != known.data and not _alike(names, known.data, _LOOSE):
            cause = (
                f"{known.name} maps to {' . '.join(known.data)}, and this is {' . '.join(names)}"
            )
            self._trial.refuse(
                checks.MISMATCH, self._context, data, cause, "write a value of that type"
            )


def _alike(names: tuple[str, ...], key: tuple[str, ...], loose: frozenset[str]) -> bool:
    """Types that nft has one number for, or that are not told apart here."""
    return len(names) == len(key) and all(
        one == other or {one, other} & loose for one, other in zip(names, key, strict=True)
    )


_LOOSE = frozenset(("string", "bitmask", "boolean", "fib_result", "unknown", "symbol"))


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


def _expressions(statement: t.Node) -> Iterator[t.Node]:
    match statement:
        case t.Tproxy(address=address, port=port):
            yield from (each for each in (address, port) if each is not None)
        case t.Dup(address, device) | t.Fwd(_, address, device):
            yield from (each for each in (address, device) if each is not None)
        case t.Queue(target) if target is not None:
            yield target
        case t.ObjectUse(_, name):
            yield name
