"""What rules write to packets that they take, translations of addresses among it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from iptlint.model import Effect, EffectKind, Family, Field, Hook, Rule, VerdictKind
from iptlint.model.addresses import LOCALHOST
from iptlint.model.host_addresses import HostAddresses, IPAddress
from iptlint.model.matches import CT_STATES
from iptlint.model.protocols import PORT_PROTOCOLS
from iptlint.model.verdicts import Choice
from iptlint.netfilter.packet_group import PacketGroup
from iptlint.netfilter.unknowns import ExactMatcher, Unknown, written_text
from iptlint.packets.bdd import BitField, union
from iptlint.packets.conntrack import connected
from iptlint.packets.rewrite import Rewrite

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

DESTINATION_SIDE = (Hook.PREROUTING, Hook.OUTPUT)
"""Here a nat chain sets what the destination becomes; elsewhere, the source."""


class Side(NamedTuple):
    """What a translation may write, and the connection's status that says so. ``own``: the
    address that MASQUERADE and REDIRECT take."""

    fields: tuple[Field, ...]
    status: Field
    own: Unknown
    kept: Unknown

    def own_bits(self, width: int) -> tuple[Unknown, ...]:
        """Of the number that the own address is, the most significant bit first."""
        return tuple(self.own._replace(bit=bit) for bit in range(width))


SOURCE = Side(
    (Field.SADDR, Field.SADDR6, Field.SPORT),
    Field.CT_SNAT,
    Unknown("the address of the interface that it leaves by", 0),
    Unknown("that it has the address of the interface already", 0),
)
DESTINATION = Side(
    (Field.DADDR, Field.DADDR6, Field.DPORT),
    Field.CT_DNAT,
    Unknown("the address of the interface that it came in by", 0),
    Unknown("that it is sent to the first address of the interface", 0),
)


def side_of(hook: Hook) -> Side:
    return DESTINATION if hook in DESTINATION_SIDE else SOURCE


class _Written(NamedTuple):
    """``bits``: those of the field; ``changed``: the packets, as they came, that have another value
    then."""

    bits: Mapping[int, PacketSet]
    changed: PacketSet


_FOREIGN = {
    Family.IP: (Field.SADDR6, Field.DADDR6),
    Family.IP6: (Field.SADDR, Field.DADDR),
}


class Writer:
    """Carries out what rules write, on packets of one family."""

    def __init__(
        self, family: Family, matcher: ExactMatcher, addresses: HostAddresses | None = None
    ) -> None:
        self.family = family
        self.addresses = addresses or HostAddresses()
        self.matcher = matcher
        self.space = matcher.space
        self._translations: dict[object, Mapping[int, PacketSet]] = {}

    def after(self, rule: Rule, group: PacketGroup, hook: Hook) -> PacketGroup:
        """The packets once they have met the rule at the hook."""
        translates = rule.verdict.kind is VerdictKind.NAT
        if not (translates or rule.effects):
            return group
        effects = [e for e in rule.effects if e.kind is not EffectKind.WRITE or self._is_there(e)]
        for effect in effects:
            if not translates or effect.field not in _TRANSLATED:
                group = self._carried_out(rule, effect, group)
        if not translates:
            return group
        new = [effect for effect in effects if effect.field in side_of(hook).fields]
        return group.rewritten(self._translated(rule, new, group.rewrite, hook))

    def _is_there(self, effect: Effect) -> bool:
        """In a table of both families, a rule that translates writes the address that there is."""
        foreign = _FOREIGN.get(self.family, ())
        return effect.field in self.space.fields and effect.field not in foreign

    def _carried_out(self, rule: Rule, effect: Effect, group: PacketGroup) -> PacketGroup:
        rewrite = group.rewrite
        match effect.kind:
            case EffectKind.NOTRACK:
                return group.rewritten(self._without_connection(group))
            case EffectKind.ZONE:
                return self._in_zone(rule, effect, group)
            case EffectKind.WRITE:
                written = self._written(rule, effect, rewrite)
                if Field.CT_MARK in (effect.field, effect.source):
                    written = rewrite.where(rewrite.now(connected(self.space)), written)
                return group.rewritten(written)
            case _:
                return group

    def _without_connection(self, group: PacketGroup) -> Rewrite:
        """What has a connection keeps it, and what has a zone its own (nft_notrack, xt_CT)."""
        rewrite = group.rewrite
        if group.zone != 0 or rewrite.now(self.space.state("invalid")) != self.space.true:
            return rewrite
        return rewrite.constant(Field.CT_STATE, CT_STATES.index("untracked"))

    def _is_early(self, rewrite: Rewrite) -> bool:
        """Whether none of the packets has a connection yet."""
        without = self.space.state("invalid", "untracked")
        return rewrite.now(without) == self.space.true

    def _in_zone(self, rule: Rule, effect: Effect, group: PacketGroup) -> PacketGroup:
        """The first zone counts, and none behind conntrack. What is not tracked is tracked by nft's
        word, not by that of iptables, which gives it no template (nft_ct_set_zone_eval, xt_ct)."""
        if group.zone != 0 or effect.value == 0 or not self._is_early(group.rewrite):
            return group
        if group.rewrite.now(self.space.state("untracked")) == self.space.true:
            if rule.verdict.name == "CT":
                return group
            invalid = CT_STATES.index("invalid")
            group = group.rewritten(group.rewrite.constant(Field.CT_STATE, invalid))
        return replace(group, zone=effect.value)

    def _written(self, rule: Rule, effect: Effect, rewrite: Rewrite) -> Rewrite:
        assert effect.field is not None
        field = self.space.fields[effect.field]
        if effect.added is not None:
            return rewrite.added(effect.field, effect.added)
        if effect.value is not None:
            mask = field.maximum if effect.mask is None else effect.mask
            return rewrite.written(effect.field, mask, effect.value, effect.source)
        return self._with_number(effect.field, self._number(rule, effect), rewrite)

    def _with_number(self, field: Field, number: list[PacketSet], rewrite: Rewrite) -> Rewrite:
        return rewrite.with_bits(dict(zip(self.space.fields[field].variables, number, strict=True)))

    def _number(self, rule: Rule, effect: Effect) -> list[PacketSet]:
        assert effect.field is not None
        text = written_text(rule, effect)
        width = self.space.fields[effect.field].width
        return self.matcher.number(rule, text, width, effect.field.value)

    # -- translation --------------------------------------------------------------

    def _translated(
        self, rule: Rule, effects: list[Effect], rewrite: Rewrite, hook: Hook
    ) -> Rewrite:
        """Most groups of packets are alike in what a rule writes, and many rules write the same."""
        asked = dict.fromkeys((side_of(hook).status, Field.PROTO, Field.IIF, Field.OIF))
        for effect in effects:
            asked.update({field: None for field in (effect.field, effect.source) if field})
        written = rule.verdict.name, rule.verdict.meaning, tuple(effects)
        key = written, hook, rewrite.of(*asked)
        if key not in self._translations:
            self._translations[key] = self._translation(rule, effects, rewrite, hook)
        return rewrite.with_bits(self._translations[key])

    def _translation(
        self, rule: Rule, effects: list[Effect], rewrite: Rewrite, hook: Hook
    ) -> Mapping[int, PacketSet]:
        """A translation to what the packet has already leaves no mark on the connection
        (nf_nat_setup_info compares the tuples)."""
        side = side_of(hook)
        bits: dict[int, PacketSet] = {}
        changed = self.space.false
        for effect in effects:
            written = self._chosen(rule, effect, rewrite, hook)
            bits.update(written.bits)
            counts = self._with_ports(rewrite) if effect.field in _PORTS else self.space.true
            changed = changed | (written.changed & counts)
        (status,) = self.space.fields[side.status].variables
        return {**bits, status: rewrite.variable(status) | changed}

    def _with_ports(self, rewrite: Rewrite) -> PacketSet:
        return rewrite.now(self._of_port_protocols)

    @cached_property
    def _of_port_protocols(self) -> PacketSet:
        numbers = [self.space.value(Field.PROTO, number) for number in PORT_PROTOCOLS]
        return union(numbers, self.space.false)

    def _chosen(self, rule: Rule, effect: Effect, rewrite: Rewrite, hook: Hook) -> _Written:
        assert effect.field is not None
        match effect.choice:
            case None if (number := self._constant(effect)) is not None:
                field = self.space.fields[effect.field]
                changed = ~rewrite.now(field.within(number, number))
                return _Written(field.constant(number), changed)
            case None:
                written = self._written(rule, effect, rewrite)
                unknown = effect.value is None
                number = None if unknown else written.number(effect.field)
                if number is not None:
                    changed = ~rewrite.now(self.space.value(effect.field, number))
                else:
                    changed = self._changed(effect.field, rewrite, written, unknown)
                return self._as_written(effect.field, written, changed)
            case Choice(None):
                return self._interface_address(effect.field, rewrite, hook)
            case choice:
                return self._one_of(rule, effect, choice, rewrite)

    def _constant(self, effect: Effect) -> int | None:
        """What the effect writes whatever the field was; mostly nobody has to work that out."""
        assert effect.field is not None
        if effect.value is None or effect.added is not None or effect.source is not None:
            return None
        maximum = self.space.fields[effect.field].maximum
        return effect.value & maximum if effect.mask in (None, maximum) else None

    def _as_written(self, field: Field, written: Rewrite, changed: PacketSet) -> _Written:
        variables = self.space.fields[field].variables
        return _Written({number: written.variable(number) for number in variables}, changed)

    def _changed(self, field: Field, old: Rewrite, new: Rewrite, unknown: bool) -> PacketSet:
        """An unknown port is mostly the one that the packet has, which is no translation."""
        if unknown:
            return self.space.false if field in _PORTS else self.space.true
        variables = self.space.fields[field].variables
        return union([old.variable(n) ^ new.variable(n) for n in variables], self.space.false)

    def _interface_address(self, field: Field, rewrite: Rewrite, hook: Hook) -> _Written:
        """What the host sends itself is redirected to the loopback address
        (nf_nat_redirect_ipv4 and _ipv6)."""
        if hook is Hook.OUTPUT:
            written = rewrite.constant(field, int(LOCALHOST[self.family]))
            changed = self._changed(field, rewrite, written, unknown=False)
            return self._as_written(field, written, changed)
        side, unknowns = side_of(hook), self.matcher.unknowns
        width = self.space.fields[field].width
        number = [unknowns.variable(key) for key in side.own_bits(width)]
        own = self._with_number(field, number, rewrite)
        at = Field.IIF if side is DESTINATION else Field.OIF
        for interface, address in self._first_addresses():
            there = rewrite.now(self.space.value(at, interface))
            own = own.where(there, rewrite.constant(field, int(address)))
        other_end = Field.OIF if side is DESTINATION else Field.IIF
        kept = unknowns.variable(side.kept) & self.space.no_interface(other_end)
        return self._as_written(field, own.where(kept, rewrite), ~kept)

    def _first_addresses(self) -> Iterator[tuple[int, IPAddress]]:
        """By the number of the interface; of several that rules do not tell apart, none."""
        version = 4 if self.family is Family.IP else 6
        by_number: dict[int, list[IPAddress]] = {}
        for name, address in self.addresses.first:
            if address.version == version:
                by_number.setdefault(self.space.interfaces.class_of(name), []).append(address)
        return ((number, one) for number, (one, *others) in by_number.items() if not others)

    def _one_of(self, rule: Rule, effect: Effect, choice: Choice, rewrite: Rewrite) -> _Written:
        """A port that is one of them stays (nf_nat_l4proto_in_range), unless each has its own; of
        others than these what it becomes is left open (nf_nat_l4proto_unique_tuple)."""
        assert effect.field is not None
        assert choice.low is not None
        assert choice.high is not None
        field = self.space.fields[effect.field]
        number = self._number(rule, effect)
        variables = [v for bit in number if (v := bit.node_var()) is not None]
        fits = BitField(self.space.manager, variables).within(choice.low, choice.high)
        number = [
            (fits & bit) | (~fits if choice.low >> place & 1 else self.space.false)
            for place, bit in zip(reversed(range(field.width)), number, strict=True)
        ]
        written = self._with_number(effect.field, number, rewrite)
        if choice.base is not None:
            last = choice.base + choice.high - choice.low
            has_its_own = rewrite.now(field.within(choice.base, last))
            moved = rewrite.added(effect.field, choice.low - choice.base)
            stays = has_its_own if choice.low == choice.base else self.space.false
            return self._as_written(effect.field, written.where(has_its_own, moved), ~stays)
        has_one = rewrite.now(field.within(choice.low, choice.high))
        if effect.field in _PORTS:
            return self._as_written(effect.field, written.where(has_one, rewrite), ~has_one)
        return self._as_written(effect.field, written, self.space.true)


_TRANSLATED = {*SOURCE.fields, *DESTINATION.fields, Field.CT_SNAT, Field.CT_DNAT}
_PORTS = (Field.SPORT, Field.DPORT)
