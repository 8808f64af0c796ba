"""``snat dnat masquerade redirect``: where to, and what that writes.

Netfilter translates the first packet of a connection; the rule ends the chain (nft_nat.c,
nft_masq.c, nft_redir.c).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering import datatypes as d
from iptlint.dialects.nft.lowering.canonical_text import spelled, to
from iptlint.dialects.nft.lowering.operands import Operand, constant, operand, operands
from iptlint.dialects.nft.lowering.statement_result import (
    Matches,
    RuleScope,
    StatementResult,
    VerdictBranch,
    write,
)
from iptlint.dialects.nft.nodes import Node
from iptlint.dialects.uninterpreted import host_name
from iptlint.dialects.verdict_words import translation
from iptlint.model import Effect, EffectKind, Family, Field, Verdict, VerdictKind, Within
from iptlint.model.matches import PACKET_FAMILIES, HostName
from iptlint.model.numbers import c_number
from iptlint.model.verdicts import INTERFACE_ADDRESS, Choice


@dataclass(frozen=True, slots=True)
class _Kind:
    """``own_address``: the host's, which is not known. ``any_port``: another one may be taken."""

    addresses: tuple[tuple[str, Field], ...]
    port: Field
    status: Field
    own_address: bool = False
    any_port: bool = False


_SOURCE = (("ip", Field.SADDR), ("ip6", Field.SADDR6))
_DESTINATION = (("ip", Field.DADDR), ("ip6", Field.DADDR6))
_KINDS = {
    "snat": _Kind(_SOURCE, Field.SPORT, Field.CT_SNAT),
    "dnat": _Kind(_DESTINATION, Field.DPORT, Field.CT_DNAT),
    "masquerade": _Kind(_SOURCE, Field.SPORT, Field.CT_SNAT, own_address=True, any_port=True),
    "redirect": _Kind(_DESTINATION, Field.DPORT, Field.CT_DNAT, own_address=True),
}
_ADDRESS_TYPES = {"ip": d.IPV4, "ip6": d.IPV6}


def nat(statement: t.Nat, scope: RuleScope) -> StatementResult:
    options = _options(statement)
    kind = _KINDS.get(statement.name)
    if kind is None:
        # fullcone is of OpenWrt's kernel: it may stand before or behind routing.
        effects = tuple(write(field) for field in _REWRITTEN)
        return StatementResult(
            effects=effects, verdict=Verdict(VerdictKind.NAT, statement.name, None, options)
        )
    address, port = statement.address, statement.port
    hosts = () if statement.form else tuple(_hosts(address))
    words = _words(statement)
    verdict = Verdict(VerdictKind.NAT, statement.name, None, options, hosts, words)
    family = _family(statement, address, scope)
    before = _of_family(family, scope)
    targets = [
        _Target((*to.matches, *at.matches), to.value, at.value, to.place or at.place)
        for to in _operands(address, scope)
        for at in _operands(port, scope)
    ]
    written = [_effects(statement, kind, family, target) for target in targets]
    if len(targets) == 1:
        before = (*before, *targets[0].matches)
        return StatementResult(before=before, effects=written[0], verdict=verdict)
    branches = tuple(
        VerdictBranch(target.matches, _of_target(verdict, statement, target), target.place, each)
        for target, each in zip(targets, written, strict=True)
    )
    return StatementResult(before=before, branches=branches)


@dataclass(frozen=True, slots=True)
class _Target:
    """Where packets go that pass the tests: an address and a port, None where there is none to
    say or nobody knows it; ``place`` is the element of a map that says so."""

    matches: Matches
    address: t.Expression | None
    port: t.Expression | None
    place: Node | None


_MOST_TARGETS = 1024
"""Beyond these a map's targets are not told apart."""


def _operands(expression: t.Expression | None, scope: RuleScope) -> tuple[Operand, ...]:
    """One for each data of a map; a packet that is not in the map breaks the rule off."""
    if expression is None:
        return (Operand((), None),)
    each = operands(expression, scope.lowering)
    return each if len(each) <= _MOST_TARGETS else (operand(expression, scope.lowering),)


_REWRITTEN = (
    *(Field.SADDR, Field.SADDR6, Field.DADDR, Field.DADDR6, Field.SPORT, Field.DPORT),
    *(Field.CT_SNAT, Field.CT_DNAT),
)


def _of_target(verdict: Verdict, statement: t.Nat, target: _Target) -> Verdict:
    """What a map says for some packets is what a rule for these alone would say."""
    match target.address:
        case None:
            return verdict
        case t.Concat((address, port, *_)):
            said = replace(statement, address=address, port=port)
        case address:
            said = replace(statement, address=address, port=target.port or statement.port)
    return replace(verdict, words=_words(said))


def _words(statement: t.Nat) -> str:
    address, port = statement.address, statement.port
    form = f"{statement.form} " if statement.form not in (None, "interval") else ""
    where = f"{form}{_shown_address(address)}" if address is not None else ""
    return translation(statement.name, where, _shown_ports(port), statement.flags)


def _shown_address(expression: t.Expression) -> str:
    """A network is the range from its first to its last address, as iptables writes it."""
    match expression:
        case t.Range(low, high):
            return "-".join(dict.fromkeys(map(_shown_address, (low, high))))
        case t.Prefix(t.Value(text), t.Value(length)):
            try:
                network = ip_network(f"{text}/{length}", strict=False)
            except ValueError:
                return spelled(expression)
            return "-".join(dict.fromkeys((str(network[0]), str(network[-1]))))
        case t.Value(text):
            try:
                return str(ip_address(text))
            except ValueError:
                return spelled(expression)
    return spelled(expression)


def _shown_ports(expression: t.Expression | None) -> str:
    match expression:
        case None:
            return ""
        case t.Range(low, high):
            return "-".join(dict.fromkeys(map(_shown_ports, (low, high))))
    number = constant(expression, d.SERVICE)
    return spelled(expression) if number is None else str(number)


def _hosts(address: t.Expression | None) -> Iterator[HostName]:
    """The name of the host that packets are sent to, where it is one of a domain."""
    if isinstance(address, t.Value) and address.kind is not t.Kind.STRING:
        name = host_name(address.text)
        if name and any(label[:1].isalpha() for label in address.text.split(".")[1:]):
            yield name


def _options(statement: t.Nat) -> str:
    form = f"{statement.form} " if statement.form else ""
    where = to(statement.address, statement.port)
    return " ".join(filter(None, (f"{form}{where}", *sorted(statement.flags))))


def _family(statement: t.Nat, address: t.Expression | None, scope: RuleScope) -> str | None:
    """Of the packets that are translated; None where they are of any."""
    family = scope.lowering.table.family
    if family in (Family.IP, Family.IP6):
        return str(family.value)
    if statement.family in _ADDRESS_TYPES or address is None:
        return statement.family if statement.family in _ADDRESS_TYPES else None
    # `ip saddr 192.0.2.1 snat to …`: nft takes the family from the tests before.
    match address:
        case t.Value() | t.Range(low=t.Value()) | t.Prefix(base=t.Value()):
            return "ip6" if ":" in spelled(address) else "ip"
    return None


def _of_family(family: str | None, scope: RuleScope) -> Matches:
    """A packet of the other family goes on to the next rule (nft_nat_inet_eval)."""
    if family is None or scope.lowering.table.family is not Family.INET:
        return ()
    number = PACKET_FAMILIES.index(family)
    return (Within(Field.FAMILY, ((number, number),)),)


def _effects(
    statement: t.Nat, kind: _Kind, family: str | None, target: _Target
) -> tuple[Effect, ...]:
    address, port = statement.address, statement.port
    written = [
        _address(field, _ADDRESS_TYPES[name], statement, kind, target)
        for name, field in kind.addresses
        if family in (None, name) and (address is not None or kind.own_address)
    ]
    return (*written, *_ports(kind, address, port, target), write(kind.status, 1, 1))


def _address(
    field: Field, type: d.DataType, statement: t.Nat, kind: _Kind, target: _Target
) -> Effect:
    if kind.own_address:
        return Effect(EffectKind.WRITE, field, choice=INTERFACE_ADDRESS)
    value = target.address.parts[0] if isinstance(target.address, t.Concat) else target.address
    if statement.form == "prefix" and isinstance(value, t.Prefix):
        return _host_part_kept(field, type, value)
    return _written(field, type, value)


def _host_part_kept(field: Field, type: d.DataType, network: t.Prefix) -> Effect:
    base, length = constant(network.base, type), _length(network, type)
    if base is None or length is None:
        return write(field)
    mask = ((1 << length) - 1) << (type.width - length)
    return write(field, mask, base & mask)


def _ports(
    kind: _Kind, address: t.Expression | None, port: t.Expression | None, target: _Target
) -> tuple[Effect, ...]:
    """``addr . port`` of a map holds both; so may any map behind ``to``."""
    if port is not None:
        return (_written(kind.port, d.SERVICE, target.port),)
    match target.address:
        case t.Concat((_, second, *_)):
            return (_written(kind.port, d.SERVICE, second),)
        case None if isinstance(address, t.Lookup):
            return (write(kind.port),)
    return (write(kind.port),) if kind.any_port else ()


def _written(field: Field, type: d.DataType, value: t.Expression | None) -> Effect:
    """Exactly, or what the kernel chooses from."""
    match value:
        case t.Range(low, high):
            ends = constant(low, type), constant(high, type)
        case t.Prefix(base) as network:
            ends = _ends(constant(base, type), _length(network, type), type.width)
        case _:
            ends = (constant(value, type),) * 2
    low_end, high_end = ends
    if low_end is None or high_end is None:
        return write(field)
    if low_end == high_end:
        return write(field, (1 << type.width) - 1, low_end)
    return Effect(EffectKind.WRITE, field, choice=Choice(low_end, high_end))


def _length(network: t.Prefix, type: d.DataType) -> int | None:
    """None where the type has not so many bits, which nft refuses."""
    length = c_number(network.length.text)
    return None if length is None or length > type.width else length


def _ends(base: int | None, length: int | None, width: int) -> tuple[int | None, int | None]:
    if base is None or length is None:
        return None, None
    hosts = (1 << (width - length)) - 1
    return base & ~hosts, base | hosts
