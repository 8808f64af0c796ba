"""Options that say of a packet what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

_PORT = click.IntRange(0, 65535)
_OCTET = click.IntRange(0, 255)


def _mark(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    from iptlint.model.numbers import c_number

    number = c_number(value)
    if number is None or number >= 1 << 32:
        raise click.BadParameter(f"{value!r} is no mark such as 5 or 0x10", ctx, param)
    return number


_OPTIONS = (
    click.option(
        "--hook",
        type=click.Choice(["input", "forward", "output"]),
        help="Its way as it sets out; else the interfaces and the destination tell.",
    ),
    click.option("--iif", metavar="NAME", help="The interface it comes in by."),
    click.option("--oif", metavar="NAME", help="The interface it leaves by."),
    click.option("--saddr", metavar="ADDRESS", help="Source: an address or a network."),
    click.option("--daddr", metavar="ADDRESS", help="Destination: an address or a network."),
    click.option("--proto", metavar="NAME", help="tcp, udp, icmp … or a number."),
    click.option("--sport", type=_PORT, metavar="PORT", help="Source port."),
    click.option("--dport", type=_PORT, metavar="PORT", help="Destination port."),
    click.option("--icmp-type", metavar="TYPE", help="A number, or a name such as echo-request."),
    click.option("--icmp-code", type=_OCTET, metavar="NUMBER"),
    click.option(
        "--tcp-flags",
        metavar="LIST",
        help="Exactly these, such as syn or syn,ack; `none` for none.",
    ),
    click.option(
        "--ct-state", metavar="STATE", help="new, established, related, invalid, untracked."
    ),
    click.option("--mark", callback=_mark, metavar="NUMBER", help="Its mark, decimal or 0x…."),
)

_FIELDS = (
    *("hook", "iif", "oif", "saddr", "daddr", "proto", "sport", "dport"),
    *("icmp_type", "icmp_code", "ct_state", "mark"),
)


def packet_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What ``packet_fields`` reads."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def packet_fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a packet, of the values of a command's options; None where nothing is said."""
    return {name: given[name] for name in _FIELDS} | {"tcp_flags": _flags(given["tcp_flags"])}


def _flags(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    return () if text == "none" else tuple(filter(None, text.lower().split(",")))
