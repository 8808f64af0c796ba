"""Options that say of a packet what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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


def _interface(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    from iptlint.model.names import LONGEST_INTERFACE
    from iptlint.packets.interfaces import may_be_called

    if not value or len(value) > LONGEST_INTERFACE or not may_be_called(value):
        raise click.BadParameter(f"no interface can have the name {value!r}", ctx, param)
    if value[-1] in "*+":
        raise click.BadParameter(f"{value!r} names many interfaces; name one", ctx, param)
    return value


_OPTIONS = (
    click.option(
        "--hook",
        type=click.Choice(["input", "forward", "output"]),
        help="Its way as it sets out; else the interfaces and the destination tell.",
    ),
    click.option(
        "--iif", callback=_interface, metavar="NAME", help="The interface it comes in by."
    ),
    click.option("--oif", callback=_interface, metavar="NAME", help="The interface it leaves by."),
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
    """The fields of a packet, of the values of a command's options; None where nothing is said.
    A click error where no packet has them all."""
    for options, why in _contradictions(given):
        raise click.UsageError(f"{' and '.join(options)} exclude each other: {why}")
    return {name: given[name] for name in _FIELDS} | {"tcp_flags": _flags(given["tcp_flags"])}


def _contradictions(given: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], str]]:
    """Each two options that no packet has together, and why."""
    for hook, side, why in (
        ("input", "oif", "what comes to this host leaves by no interface"),
        ("output", "iif", "what this host sends came in by none"),
    ):
        if given["hook"] == hook and given[side] is not None:
            yield (f"--hook {hook}", f"--{side}"), why
    if given["proto"] is None:
        return
    from iptlint.model.protocols import ICMP, ICMP6, PORT_PROTOCOLS, TCP
    from iptlint.packets.query import QueryError, protocol

    try:
        number = protocol(given["proto"])
    except QueryError:
        return  # which is told of by who asks
    for names, protocols, why in (
        (("sport", "dport"), PORT_PROTOCOLS, "it has no ports"),
        (("icmp_type", "icmp_code"), (ICMP, ICMP6), "it is not icmp"),
        (("tcp_flags",), (TCP,), "it is not tcp"),
    ):
        for name in names:
            if given[name] is not None and number not in protocols:
                yield (f"--proto {given['proto']}", f"--{name.replace('_', '-')}"), why


def _flags(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    return () if text == "none" else tuple(filter(None, text.lower().split(",")))
