"""``snat dnat masquerade redirect``: where to, and what that writes.

Netfilter translates the first packet of a connection; the rule ends the chain (nft_nat.c,
nft_masq.c, nft_redir.c).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering import datatypes as d
from iptlint.dialects.nft.lowering.canonical_text import spelled, to
from iptlint.dialects.nft.lowering.operands import constant, operand
from iptlint.dialects.nft.lowering.statement_result import (
    Matches,
    RuleScope,
    StatementResult,
    write,
)
from iptlint.dialects.uninterpreted import host_name
from iptlint.model import Effect, Family, Field, Verdict, VerdictKind, Within
from iptlint.model.matches import PACKET_FAMILIES, HostName


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
    address, port = _places(statement, kind)
    before: Matches = ()
    exact: list[t.Expression | None] = []
    for part in (address, port):
        value = None if part is None else operand(part, scope.lowering)
        before += value.matches if value else ()
        exact.append(value.value if value else None)
    family = _family(statement, address, scope)
    effects = (
        *_addresses(kind, family, address is not None, exact[0]),
        *_ports(kind, address, port, exact),
        write(kind.status, 1, 1),
    )
    hosts = () if statement.form else tuple(_hosts(address))
    verdict = Verdict(VerdictKind.NAT, statement.name, None, options, hosts)
    return StatementResult(
        before=(*_of_family(family, scope), *before), effects=effects, verdict=verdict
    )


_REWRITTEN = (
    *(Field.SADDR, Field.SADDR6, Field.DADDR, Field.DADDR6, Field.SPORT, Field.DPORT),
    *(Field.CT_SNAT, Field.CT_DNAT),
)


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


def _places(statement: t.Nat, kind: _Kind) -> tuple[t.Expression | None, t.Expression | None]:
    """Address and port; what the host's own address is followed by can only be a port."""
    if kind.own_address:
        return None, statement.port or statement.address
    return statement.address, statement.port


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


def _addresses(
    kind: _Kind, family: str | None, given: bool, value: t.Expression | None
) -> tuple[Effect, ...]:
    if not given and not kind.own_address:
        return ()
    written = []
    for name, field in kind.addresses:
        if family in (None, name):
            address = value.parts[0] if isinstance(value, t.Concat) else value
            kind_of = _ADDRESS_TYPES[name]
            written.append(_exactly(field, kind_of.width, constant(address, kind_of)))
    return tuple(written)


def _ports(
    kind: _Kind,
    address: t.Expression | None,
    port: t.Expression | None,
    exact: list[t.Expression | None],
) -> tuple[Effect, ...]:
    """``addr . port`` of a map holds both; so may any map behind ``to``."""
    if port is not None:
        return (_exactly(kind.port, 16, constant(exact[1], d.SERVICE)),)
    match exact[0]:
        case t.Concat((_, second, *_)):
            return (_exactly(kind.port, 16, constant(second, d.SERVICE)),)
        case None if isinstance(address, t.Lookup):
            return (write(kind.port),)
    return (write(kind.port),) if kind.any_port else ()


def _exactly(field: Field, width: int, value: int | None) -> Effect:
    return write(field, None if value is None else (1 << width) - 1, value)
