"""``iptlint trace FILE``: what happens to a packet, rule by rule, and who decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from iptlint.cli import FAILED, options
from iptlint.cli.readings import complain, read_one
from iptlint.cli.scripts import script_options, script_reader

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    from iptlint.analysis.trace import Trace
    from iptlint.dialects import Reader, Reading
    from iptlint.host.gathered import Gathered
    from iptlint.model import Ruleset
    from iptlint.model.host_addresses import HostAddresses


THIS_HOST = "this host"


def _mark(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    from iptlint.model.numbers import c_number

    number = c_number(value)
    if number is None or number >= 1 << 32:
        raise click.BadParameter(f"{value!r} is no mark such as 5 or 0x10", ctx, param)
    return number


@click.command(name="trace", options_metavar="[OPTION…]")
@click.argument("file", required=False)
@click.option("--live", is_flag=True, help="The rules that run on this host, with its addresses.")
@click.option(
    "--hook",
    type=click.Choice(["input", "forward", "output"]),
    help="Its way as it sets out; else the interfaces and the destination tell.",
)
@click.option("--iif", metavar="NAME", help="The interface it comes in by.")
@click.option("--oif", metavar="NAME", help="The interface it leaves by.")
@click.option("--saddr", metavar="ADDRESS", help="Source: an address or a network.")
@click.option("--daddr", metavar="ADDRESS", help="Destination: an address or a network.")
@click.option("--proto", metavar="NAME", help="tcp, udp, icmp … or a number.")
@click.option("--sport", type=click.IntRange(0, 65535), metavar="PORT", help="Source port.")
@click.option("--dport", type=click.IntRange(0, 65535), metavar="PORT", help="Destination port.")
@click.option("--icmp-type", type=click.IntRange(0, 255), metavar="NUMBER")
@click.option("--icmp-code", type=click.IntRange(0, 255), metavar="NUMBER")
@click.option(
    "--tcp-flags", metavar="LIST", help="Exactly these, such as syn or syn,ack; `none` for none."
)
@click.option("--ct-state", metavar="STATE", help="new, established, related, invalid, untracked.")
@click.option("--mark", callback=_mark, metavar="NUMBER", help="Its mark, decimal or 0x….")
@click.option("--reply", is_flag=True, help="Follow the answer too: does the connection work?")
@click.option(
    "--all", "everything", is_flag=True, help="Show all outcomes, not the most important only."
)
@options.host_addresses
@options.output_format
@options.family
@options.ipsets
@options.includes
@script_options
def command(
    file: str | None,
    live: bool,
    hook: str | None,
    tcp_flags: str | None,
    reply: bool,
    everything: bool,
    host_addresses: tuple[IPv4Network | IPv6Network, ...],
    output_format: str,
    family: str | None,
    ipsets: tuple[str, ...],
    include_dirs: tuple[str, ...],
    no_include: bool,
    starts: tuple[str, ...],
    arguments: tuple[str, ...] | None,
    **fields: Any,
) -> int:
    """Follow a packet through the rules of FILE, step by step.

    What is left out may be anything; then the answer is every distinct outcome, each with the
    packets it is for. Without --ct-state it is about a connection: its first packet, and those
    that follow from the same side. What was translated is sent on by its new destination.

    FILE may be a host that `iptlint live --save` wrote: then these are the rules that ran there,
    and its addresses are known. With --live it is this host, as it is now. Of a host that nothing
    in the question tells the family of, IPv4 and IPv6 are followed.
    """
    from iptlint.analysis.exchange import connection
    from iptlint.packets.query import family_of
    from iptlint.reports.trace import Answer, trace_json, trace_text

    reader = options.reader_of(family, include_dirs, no_include=no_include)
    reader = script_reader(reader, starts, arguments)
    reading, known = _read(file, reader, ipsets, live=live)
    spoken = family_of(fields["saddr"], fields["daddr"], fields["proto"])
    named = reader.family.value if reader.family else spoken
    chosen = (named,) if named else _families(reading.ruleset)[: None if known else 1]
    fields |= {"hook": hook, "tcp_flags": _flags(tcp_flags)}
    addresses = _addresses(reading.ruleset, host_addresses) or known
    traces = _traces(reading.ruleset, chosen, fields, addresses)
    answers = [Answer(traced, connection(traced) if reply else None) for traced in traces]
    if output_format == "json":
        options.write_json(trace_json(answers))
    else:
        options.write(trace_text(answers, everything=everything))
    return FAILED if complain(reading) else 0


def _traces(
    ruleset: Ruleset,
    families: tuple[str, ...],
    fields: dict[str, Any],
    addresses: HostAddresses | None,
) -> list[Trace]:
    from iptlint.analysis.bridges import trace_with_bridges
    from iptlint.packets.packet import Packet
    from iptlint.packets.query import QueryError

    packets = [Packet(family=family, **fields) for family in families]
    try:
        return [trace_with_bridges(ruleset, packet, addresses) for packet in packets]
    except QueryError as error:
        raise click.UsageError(str(error)) from error


def _read(
    file: str | None, reader: Reader, ipsets: tuple[str, ...], *, live: bool
) -> tuple[Reading, HostAddresses | None]:
    """With the addresses of the host, if the file is one, or this host is meant."""
    from iptlint.cli.inputs import host_archive
    from iptlint.cli.live import gathered_here, loaded

    if live is (file is not None):
        raise click.UsageError("name a FILE, or this host with --live")
    if file is None:
        return _host(gathered_here(), THIS_HOST)
    archive = host_archive((file,))
    if archive is None:
        return read_one(file, reader, ipsets), None
    return _host(loaded(archive), archive)


def _host(gathered: Gathered, name: str) -> tuple[Reading, HostAddresses | None]:
    from iptlint.dialects import Reading
    from iptlint.host.examine import examine
    from iptlint.model.host_addresses import of_interfaces

    host = examine(gathered).host
    ruleset = host.running or (None if name == THIS_HOST else host.saved)
    if ruleset is None:
        why = host.untold or "; ".join(f"{each.what}: {each.why}" for each in host.unread)
        raise click.ClickException(f"{name}: its rules are not known as a whole; {why}")
    addresses = host.facts.addresses
    return Reading(ruleset), None if addresses is None else of_interfaces(addresses)


def _addresses(
    ruleset: Ruleset, own: tuple[IPv4Network | IPv6Network, ...]
) -> HostAddresses | None:
    from iptlint.model.host_addresses import with_own

    return with_own(own, ruleset) if own else None


def _families(ruleset: Ruleset) -> tuple[str, ...]:
    """Those that the rules are about, ip first."""
    from iptlint.model import Family

    return tuple(f.value for f in (Family.IP, Family.IP6) if ruleset.sees(f)) or ("ip",)


def _flags(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    return () if text == "none" else tuple(filter(None, text.lower().split(",")))
