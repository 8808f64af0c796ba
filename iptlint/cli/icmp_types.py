"""Icmp types by name, as iptables and nft write them: which numbers they are, the family says."""

from __future__ import annotations

from typing import Any

import click

from iptlint.model import Family


def with_numbers(fields: dict[str, Any], family: str) -> dict[str, Any]:
    """The fields of a packet of the family, with numbers for what was named. A name of one code
    (``port-unreachable``) says that, too."""
    text = fields["icmp_type"]
    if text is None:
        return fields
    number, code = _numbers(text, Family(family))
    given = fields["icmp_code"]
    return {**fields, "icmp_type": number, "icmp_code": code if given is None else given}


def _numbers(text: str, family: Family) -> tuple[int, int | None]:
    from difflib import get_close_matches

    from iptlint.model.numbers import decimal

    number, names = decimal(text), _names(family)
    if number is not None and number <= 255:
        return number, None
    if text not in names:
        near = get_close_matches(text, names, n=1)
        hint = f"; {near[0]} is" if near else "; echo-request is, or a number from 0 to 255"
        raise click.UsageError(f"{text!r} is no type of {_PROTOCOLS[family]}{hint}")
    return names[text]


def _names(family: Family) -> dict[str, tuple[int, int | None]]:
    from iptlint.dialects.iptables.extensions import registries
    from iptlint.dialects.nft.lowering import symbols

    six = family is Family.IP6
    ours = registries.ICMP6_TYPES if six else registries.ICMP_TYPES
    nfts = symbols.ICMPV6_TYPES if six else symbols.ICMP_TYPES
    names: dict[str, tuple[int, int | None]] = {name: (kind, None) for name, kind in nfts.items()}
    for name, (kind, low, high) in ours.items():
        if name != "any":
            names[name] = kind, low if low == high else None
    return names


_PROTOCOLS = {Family.IP: "icmp", Family.IP6: "icmpv6"}
