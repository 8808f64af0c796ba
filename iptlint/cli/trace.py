"""``iptlint trace FILE``: what happens to a packet, rule by rule, and who decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from iptlint.cli import FAILED, options, streams, terminal
from iptlint.cli.budgets import Allowance, limits
from iptlint.cli.packet_options import packet_fields, packet_options
from iptlint.cli.readings import complain, read_one, refuse_other_family
from iptlint.cli.scripts import script_options, script_reader
from iptlint.cli.trace_log import refuse_beside, tell_of_log

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    from iptlint.analysis.trace import Trace
    from iptlint.dialects import Reader, Reading
    from iptlint.host.gathered import Gathered
    from iptlint.model import Ruleset
    from iptlint.model.host_addresses import HostAddresses
    from iptlint.reports.trace import FamilyTrace


THIS_HOST = "this host"


@click.command(name="trace", options_metavar="[OPTION…]")
@click.argument("file", required=False)
@click.option("--live", is_flag=True, help="The rules that run on this host, with its addresses.")
@packet_options
@click.option(
    "--log",
    "log",
    metavar="FILE",
    help="Which rule wrote each line of the kernel's log, and what became of the packet; - is "
    "standard input.",
)
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
@limits
def command(
    file: str | None,
    live: bool,
    log: str | None,
    reply: bool,
    everything: bool,
    host_addresses: tuple[IPv4Network | IPv6Network, ...],
    output_format: str,
    ipsets: tuple[str, ...],
    allowance: Allowance,
    **given: Any,
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
    from iptlint.reports.trace import FamilyTrace

    reader = script_reader(options.reader_of(given), given)
    if log is not None:
        refuse_beside(log, file)
    reading, known = _read(file, reader, ipsets, allowance, live=live)
    ruleset = reading.ruleset
    addresses = _addresses(ruleset, host_addresses) or known
    if log is not None:
        tell_of_log(log, ruleset, addresses, allowance, output_format, everything=everything)
        return FAILED if complain(reading) else 0
    fields = packet_fields(given)
    chosen = families(ruleset, reader, fields)[: None if known else 1]
    with allowance.for_("to follow the packet to its end; say more of it, or name fewer tables"):
        traces = traces_of(ruleset, chosen, fields, addresses)
        answers = [FamilyTrace(traced, connection(traced) if reply else None) for traced in traces]
        text = _text(answers, output_format, everything=everything)
    (streams.write_utf8 if output_format == "json" else streams.write)(text)
    return FAILED if complain(reading) else 0


def _text(answers: list[FamilyTrace], output_format: str, *, everything: bool) -> str:
    from iptlint.reports.formats import PLAIN
    from iptlint.reports.trace import trace_json, trace_text

    if output_format == "json":
        return trace_json(answers)
    return trace_text(answers, everything=everything, columns=terminal.fitted(PLAIN).columns)


def traces_of(
    ruleset: Ruleset,
    families: tuple[str, ...],
    fields: dict[str, Any],
    addresses: HostAddresses | None,
) -> list[Trace]:
    from iptlint.analysis.bridges import trace_with_bridges
    from iptlint.cli.icmp_types import with_numbers
    from iptlint.packets.packet import Packet
    from iptlint.packets.query import QueryError

    packets = [Packet(family=family, **with_numbers(fields, family)) for family in families]
    try:
        traces = [trace_with_bridges(ruleset, packet, addresses) for packet in packets]
    except QueryError as error:
        raise click.UsageError(str(error)) from error
    return [_with_unseen(traced, family) for traced, family in zip(traces, families, strict=True)]


def _with_unseen(traced: Trace, family: str) -> Trace:
    """That no rule is for packets of the family is another thing than that none is like that."""
    from dataclasses import replace

    from iptlint.model import IP_VERSIONS, Family

    if not traced.ruleset.tables or traced.ruleset.sees(Family(family)):
        return traced
    note = f"no rules for {IP_VERSIONS[Family(family)]} were given: nothing here stops such packets"
    return replace(traced, notes=(*traced.notes, note))


def _read(
    file: str | None,
    reader: Reader,
    ipsets: tuple[str, ...],
    allowance: Allowance,
    *,
    live: bool,
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
        reading = read_one(file, reader, ipsets, allowance)
        refuse_other_family(reading, reader)
        return reading, None
    return _host(loaded(archive), archive)


def _host(gathered: Gathered, name: str) -> tuple[Reading, HostAddresses | None]:
    from iptlint.dialects import Reading
    from iptlint.host.examine import examine
    from iptlint.model.host_addresses import known_of

    host = examine(gathered).host
    ruleset = host.running or (None if name == THIS_HOST else host.saved)
    if ruleset is None:
        why = host.untold or "; ".join(f"{each.what}: {each.why}" for each in host.unread)
        raise click.ClickException(f"{name}: its rules are not known as a whole; {why}")
    return Reading(ruleset), known_of(host.facts)


def _addresses(
    ruleset: Ruleset, own: tuple[IPv4Network | IPv6Network, ...]
) -> HostAddresses | None:
    from iptlint.model.host_addresses import with_own

    return with_own(own, ruleset) if own else None


def families(ruleset: Ruleset, reader: Reader, fields: dict[str, Any]) -> tuple[str, ...]:
    """The one that is named, or that the question tells; else those that the rules are about, ip
    first."""
    from iptlint.model import Family
    from iptlint.packets.query import family_of

    spoken = family_of(fields["saddr"], fields["daddr"], fields["proto"])
    named = reader.family.value if reader.family else spoken
    if named is not None:
        return (named,)
    return tuple(f.value for f in (Family.IP, Family.IP6) if ruleset.sees(f)) or ("ip",)
