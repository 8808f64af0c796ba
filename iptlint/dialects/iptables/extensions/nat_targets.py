"""Targets that translate addresses and ports.

``tables`` and ``chains`` are those the kernel module registers (net/netfilter/xt_*.c).
"""

from __future__ import annotations

import re
from typing import cast

from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.dialects.iptables.extensions import addresses, values
from iptlint.dialects.iptables.extensions.builders import (
    opt,
    row,
    spell_all,
    value_of,
    verdict,
    write,
    write_exactly,
)
from iptlint.dialects.iptables.extensions.row import (
    Extension,
    ExtensionResult,
    Lower,
    Option,
    Uses,
)
from iptlint.dialects.verdict_words import translation
from iptlint.maker import maker
from iptlint.model import Effect, EffectKind, Family, Field, Verdict, VerdictKind
from iptlint.model.numbers import decimal, is_decimal
from iptlint.model.verdicts import INTERFACE_ADDRESS, Choice


def _port_number(text: str, family: Family) -> int:
    return values.integer(text, 0, 65535) if is_decimal(text[:1]) else addresses.port(text, family)


def nat_ports(text: str, family: Family) -> str:
    """``80``, ``80-90`` or ``80-90/1000``; a name stands alone (libxt_NAT.c)."""
    if text[:1].isalpha():
        return str(addresses.port(text, family))
    span, slash, base = text.partition("/")
    if slash and _port_number(base, family) == 0:
        raise InvalidValueError("a base port from 1 to 65535")
    low, dash, high = span.partition("-")
    if slash and not dash:
        raise InvalidValueError("a base port behind a range of ports only")
    first = _port_number(low, family)
    last = values.integer(high, 0, 65535) if dash else first
    values.ordered(first, last, "port range")
    shown = str(first) if first == last else f"{first}-{last}"
    return f"{shown}/{_port_number(base, family)}" if slash else shown


def ports_without_base(text: str, family: Family) -> str:
    """MASQUERADE takes a base, and forgets it (iptables 1.8.9)."""
    if "/" not in text:
        return unshifted_ports(text, family)
    nat_ports(text, family)
    becomes = unshifted_ports(text.partition("/")[0], family)
    raise InvalidValueError("ports without a base after a slash", becomes=becomes)


def unshifted_ports(text: str, family: Family) -> str:
    if "/" in text:
        raise InvalidValueError("ports without a base after a slash", refused=True)
    if ":" in text:
        raise InvalidValueError("a port, or two with a dash between, as 1024-2048")
    return nat_ports(text, family)


_V6_WITH_PORT = re.compile(r"\[([^\]]*)\](?::(.*))?")


def nat_address(text: str, family: Family) -> tuple[str, str]:
    """``first-last:ports``; IPv6 in brackets where ports follow. Returns addresses and ports."""
    if family is Family.IP6:
        match = _V6_WITH_PORT.fullmatch(text)
        addresses, ports = (match[1], match[2]) if match else (text, None)
    else:
        addresses, colon, tail = text.partition(":")
        ports = tail if colon else None
    if not text:
        raise InvalidValueError("an address, or `:` and a port")
    shown = _nat_addresses(addresses, family) if addresses else ""
    return shown, "" if ports is None else nat_ports(ports, family)


def _nat_addresses(text: str, family: Family) -> str:
    ends = [addresses.strict_address(end, family) for end in text.split("-")]
    if len(ends) > 2:
        raise InvalidValueError("one address or a range first-last")
    return "-".join(addresses.show_address(end, family) for end in dict.fromkeys(ends))


def _rewrite(to: tuple[str, str], family: Family, field: Field, port_field: Field) -> list[Effect]:
    """What is written: exactly, where it is one address and one port."""
    address, ports = to
    effects = []
    if address:
        ends = [addresses.address(end, family) for end in address.split("-")]
        effects.append(_written(family.field(field), family.address_bits, ends))
    if ports:
        span, _, base = ports.partition("/")
        ends = [decimal(end) or 0 for end in span.split("-")]
        effects.append(_written(port_field, 16, ends, decimal(base)))
    return effects


def _written(field: Field, width: int, ends: list[int], base: int | None = None) -> Effect:
    low, high = ends[0], ends[-1]
    if low == high:
        return write_exactly(field, width, low)
    return Effect(EffectKind.WRITE, field, choice=Choice(low, high, base))


def _own_address(field: Field) -> Effect:
    return Effect(EffectKind.WRITE, field, choice=INTERFACE_ADDRESS)


_FLAGS = {"random": "random", "random-fully": "fully-random", "persistent": "persistent"}
"""In nft's words."""


def _flags(uses: Uses) -> list[str]:
    return [word for option, word in _FLAGS.items() if option in uses]


_verdict = maker(Verdict)


def _translation(name: str, option: str, *fields: Field) -> Lower:
    """SNAT and DNAT: the last field is the connection's status bit."""

    status = write(fields[2], 1, 1)

    def lower(uses: Uses, family: Family) -> ExtensionResult:
        (given,) = uses[option]
        address, ports = to = cast("tuple[str, str]", given.values[0])
        effects = _rewrite(to, family, fields[0], fields[1])
        rest = spell_all({k: v for k, v in uses.items() if k != option})
        shown = f"--{option} {address}{':' if ports else ''}{ports} {rest}".rstrip()
        words = translation(name.lower(), address, ports, _flags(uses))
        return ExtensionResult(
            verdict=_verdict(VerdictKind.NAT, name, None, shown, words=words),
            effects=(*effects, status),
        )

    return lower


def _redirect(uses: Uses, family: Family) -> ExtensionResult:
    """To the address of the incoming interface; ports only where given."""
    ports = value_of(uses, "to-ports")
    to = _rewrite(("", str(ports or "")), family, Field.DADDR, Field.DPORT)
    effects = (_own_address(family.daddr), *to, write(Field.CT_DNAT, 1, 1))
    words = translation("redirect", "", str(ports or ""), _flags(uses))
    return verdict(VerdictKind.NAT, "REDIRECT", *effects, words=words)(uses, family)


def _masquerade(uses: Uses, family: Family) -> ExtensionResult:
    """To the address of the outgoing interface; another port may be taken where none is given."""
    ports = str(value_of(uses, "to-ports") or "")
    to = _rewrite(("", ports), family, Field.SADDR, Field.SPORT) if ports else (write(Field.SPORT),)
    effects = (_own_address(family.saddr), *to, write(Field.CT_SNAT, 1, 1))
    words = translation("masquerade", "", ports, _flags(uses))
    return verdict(VerdictKind.NAT, "MASQUERADE", *effects, words=words)(uses, family)


def _netmap(uses: Uses, family: Family) -> ExtensionResult:
    """The host's part of the address stays; of the two the hook says which is meant."""
    to = addresses.net(str(value_of(uses, "to")), family)
    mask, value = (None, None) if to.name else (to.mask, to.value)
    effects = [write(field, mask, value) for field in (family.saddr, family.daddr)]
    status = [write(field, 1, 1) for field in (Field.CT_SNAT, Field.CT_DNAT)]
    return verdict(VerdictKind.NAT, "NETMAP", *effects, *status)(uses, family)


def _nat_flags(*names: str) -> tuple[tuple[Option, ...], ...]:
    return tuple(opt(name) for name in names)


ROWS: tuple[Extension, ...] = (
    row(
        "SNAT",
        opt("to-source", nat_address, req=True),
        *_nat_flags("random", "random-fully", "persistent"),
        lower=_translation("SNAT", "to-source", Field.SADDR, Field.SPORT, Field.CT_SNAT),
        tables="nat",
        chains="POSTROUTING INPUT",
    ),
    row(
        "DNAT",
        opt("to-destination", nat_address, req=True),
        *_nat_flags("random", "persistent"),
        lower=_translation("DNAT", "to-destination", Field.DADDR, Field.DPORT, Field.CT_DNAT),
        tables="nat",
        chains="PREROUTING OUTPUT",
    ),
    row(
        "MASQUERADE",
        opt("to-ports", ports_without_base),
        *_nat_flags("random", "random-fully"),
        lower=_masquerade,
        tables="nat",
        chains="POSTROUTING",
    ),
    row(
        "REDIRECT",
        opt("to-ports", unshifted_ports),
        *_nat_flags("random"),
        lower=_redirect,
        tables="nat",
        chains="PREROUTING OUTPUT",
    ),
    row("NETMAP", opt("to", addresses.network, req=True), lower=_netmap, tables="nat"),
)
