"""The rules of a chain: their tests, and the statements in their order."""

from __future__ import annotations

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.dialects.nft.lowering import datatypes as d
from iptlint.dialects.nft.lowering.datatypes import article
from iptlint.dialects.nft.lowering.symbols import PROTOCOL_WORDS
from iptlint.dialects.nft.walking import everything
from iptlint.loads.nft import checks
from iptlint.loads.nft.elements import elements_of
from iptlint.loads.nft.features import MARK_OF_ANOTHER_TYPE, NUMBER_ADDED
from iptlint.loads.nft.matches import MatchTrial
from iptlint.loads.nft.names import check_comment, check_name
from iptlint.loads.nft.selectors import SelectorTrial
from iptlint.loads.nft.state import Jump, KnownChain, KnownSet, KnownTable
from iptlint.loads.nft.statements import OBJECTS_OF, StatementTrial, arguments_of, is_terminal
from iptlint.loads.nft.translations import TranslationTrial
from iptlint.loads.nft.trial import Trial
from iptlint.loads.nft.unnamed_maps import check_data, check_keys
from iptlint.loads.nft.values import (
    LOOSE,
    Bad,
    alike,
    interval,
    parts_of,
    presence,
    single,
    too_large,
    yes_or_no,
)
from iptlint.model import Family
from iptlint.model.numbers import c_number

_TOLD_APART = ("ipv4_addr", "ipv6_addr", "ether_addr", "inet_service")
_EVENTS = t.Ct("event")
_NO_EVENTS = ("helper", "mark", "secmark")
"""Events that no version of nft can read, though it prints them (src/parser_bison.y)."""


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
        one = (trial, table, chain, context, self._selectors)
        self._matches = MatchTrial(*one)
        self._statements, self._translations = StatementTrial(*one), TranslationTrial(*one)

    @property
    def _family(self) -> Family:
        return self._table.family

    def statement(self, statement: t.Node) -> None:
        match statement:
            case t.Match(left, operator, right):
                if self._selectors.read(left):
                    self._matches.match(left, operator, right)
            case t.MaskMatch(left) | t.Meter(key=left):
                if self._selectors.read(left):
                    self._statements.check(statement)
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
        if isinstance(statement, t.StripOption):
            self._selectors.read(statement.option)
        if isinstance(statement, t.Nat):
            self._nat(statement)
        for expression in arguments_of(statement):
            self._argument(expression)

    def _nat(self, statement: t.Nat) -> None:
        self._translations.check(statement)
        self._argument(statement.address)
        tells_protocol = self._translations.tells_protocol(statement)
        self._argument(statement.port)
        self._translations.check_port(statement, told=tells_protocol)
        self._translations.check_values(statement)

    def _argument(self, expression: t.Node | None) -> None:
        """What else is read: the address of a translation may be looked up in a map."""
        if isinstance(expression, t.Lookup) and self._selectors.read(expression.key):
            self._map(expression.key, expression.mapping, verdicts=False)

    # -- maps ------------------------------------------------------------------------------------

    def _map(self, key: t.Expression, mapping: t.Node, *, verdicts: bool) -> None:
        word = next((part for part in parts_of(key) if isinstance(part, t.Value)), None)
        if word is not None:
            cause = f"a map is asked for what a packet has, and `{word.text}` is a value"
            self._trial.refuse(checks.CONSTANT, self._context, word, cause, "write a selector")
            return
        if not self._selectors.look_up(key):
            return
        match mapping:
            case t.SetReference():
                known = self._matches.set_of(mapping)
                if known is None:
                    return
                if not known.is_map:
                    cause = f"{known.name} is a set, and this asks a map"
                    mend = f"declare it as a map: `map {known.name} {{ type … : …; }}`"
                    self._trial.refuse(checks.NOT_A_MAP, self._context, mapping, cause, mend)
                    return
                self._matches.same_type(key, known, mapping)
            case t.SetLiteral():
                self._matches.keys(key, mapping, mapped=True)
                check_keys(self._trial, self._context, mapping, self._matches.types(key))
                check_data(self._trial, self._context, mapping)
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
        if target != _EVENTS or self._are_events(value):
            self._set_to(target, value)

    def _set_to(self, target: t.Selector, value: t.Expression) -> None:
        match value:
            case t.Lookup(key, mapping):
                if self._selectors.read(key):
                    self._map(key, mapping, verdicts=False)
                    self._mapped_values(target, mapping)
                    self._mapped_type(target, value)
            case t.SetLiteral() | t.SetReference():
                cause = "a value is set, and a set has many"
                self._trial.refuse(checks.MISMATCH, self._context, value, cause, "write one value")
            case t.Value(text) if text in PROTOCOL_WORDS and value.kind is t.Kind.SYMBOL:
                cause = f"`{text}` begins a test here, and is no value"
                self._trial.refuse(checks.SYNTAX, self._context, value, cause, "write its number")
            case t.Value() if target in OBJECTS_OF:
                self._statements.check_object(OBJECTS_OF[target], value)
            case t.Value() | t.Listing():
                self._value(target, value)
            case _ if self._selectors.read(value):
                self._same_value(target, value)

    def _mapped_values(self, target: t.Selector, mapping: t.Node) -> None:
        kind = self._matches.types(target)[0]
        if kind is None or not isinstance(mapping, t.SetLiteral):
            return
        for _, data in elements_of(mapping):
            made = None if data is None else interval(data, kind)
            if isinstance(made, Bad):
                self._matches.bad(made)
                return

    def _mapped_type(self, target: t.Selector, value: t.Lookup) -> None:
        """What a named map leads to is of the type that is set. A mark took others later."""
        kind, mapping = self._matches.types(target)[0], value.mapping
        if kind is None or kind.name not in _TOLD_APART or not isinstance(mapping, t.SetReference):
            return
        known = self._table.sets.get(mapping.name.text)
        data = known.data if known is not None and known.data is not None else ()
        if len(data) == 1 and data[0] in {*_TOLD_APART, "mark"} - {kind.name}:
            cause = f"{article(kind.what)} is set, and @{mapping.name.text} maps to {data[0]}"
            mend = f"ask a map to {kind.name}"
            self._trial.refuse(checks.MISMATCH, self._context, value, cause, mend)

    def _are_events(self, value: t.Expression) -> bool:
        """Some of them are words of the language, which a text cannot name."""
        in_a_list = isinstance(value, t.Listing)
        for word in everything(value):
            name = "mark" if isinstance(word, t.Meta) else getattr(word, "text", "")
            if name in _NO_EVENTS and (in_a_list or name == "helper") and not self._trial.json:
                cause = f"`{name}` is a word of the language here, and no event"
                mend = f"write the number of all events: {d.CT_EVENT.symbols[name]} is of it"
                self._trial.refuse(checks.SYNTAX, self._context, word, cause, mend)
                return False
        return True

    def _value(self, target: t.Selector, value: t.Expression) -> None:
        kind = self._matches.types(target)[0]
        if kind is None:
            return
        made = presence(target, value, kind) or yes_or_no(target, value) or single(value, kind)
        if isinstance(made, Bad):
            self._matches.bad(made)

    def _same_value(self, target: t.Selector, value: t.Expression) -> None:
        if isinstance(value, t.Bitwise) and target == _EVENTS:
            self._value(target, value)
        if isinstance(value, t.Concat | t.Range | t.Prefix):
            return
        if isinstance(value, t.Bitwise):
            kinds = (self._matches.types(part)[0] for part in (target, *everything(value)))
            bad = too_large(value, kinds)
            if bad is not None:
                self._matches.bad(bad)
                return
        wanted, given = self._matches.types(target)[0], self._matches.types(value)[0]
        if self._matches.wrong_length(value, wanted):
            return
        if wanted is None or given is None or "integer" in (wanted.name, given.name):
            return
        if wanted is d.MARK and given is not d.MARK and given.width:
            self._trial.lacks(MARK_OF_ANOTHER_TYPE, self._context, value)
        elif wanted.name != given.name:
            cause = f"{article(wanted.what)} is set, and this is {article(given.what)}"
            self._trial.refuse(
                checks.MISMATCH, self._context, value, cause, "write a value of the same type"
            )

    def _update(self, statement: t.SetUpdate) -> None:
        if not isinstance(statement.target, t.SetReference):
            return
        known = self._matches.set_of(statement.target)
        if known is None:
            return
        element = statement.element
        key = element.key if isinstance(element, t.Element) else element
        if known.like_ports and self._selectors.has_untyped_port(key):
            return  # both have no type, which makes them alike
        if not self._selectors.read(key):
            return
        self._statements.check_update(statement, known)
        self._written_key(known, key)
        data = element.data if isinstance(element, t.Element) else None
        if data is not None:
            self._update_data(known, data)

    def _written_key(self, known: KnownSet, key: t.Expression) -> None:
        if isinstance(key, t.Value):
            return
        parts = zip(parts_of(key), known.key or (), strict=False)
        number = next((part for part, kind in parts if _is_added_number(part, kind)), None)
        if isinstance(key, t.Concat) and number is not None:
            self._trial.lacks(NUMBER_ADDED, self._context, number)
        held = d.BY_NAME.get(known.key[0]) if known.key and len(known.key) == 1 else None
        if not self._matches.wrong_length(key, held):
            self._matches.same_type(key, known, key, written=True)

    def _update_data(self, known: KnownSet, data: t.Node) -> None:
        if isinstance(data, t.Verdict | t.Value) or not self._selectors.read(data):
            return
        types = self._matches.types(data)
        if known.data is None or None in types:
            return
        names = tuple(kind.name for kind in types if kind is not None)
        if "integer" not in names and names != known.data and not alike(names, known.data, LOOSE):
            cause = (
                f"{known.name} maps to {' . '.join(known.data)}, and this is {' . '.join(names)}"
            )
            self._trial.refuse(
                checks.MISMATCH, self._context, data, cause, "write a value of that type"
            )


def _is_added_number(part: t.Node, kind: str) -> bool:
    return isinstance(part, t.Value) and kind == "integer" and c_number(part.text) != 0
