"""``iptlint path``: the whole way to a machine in a cloud, out and back, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import click

from iptlint.cli import FAILED, options, streams
from iptlint.cli.budgets import Allowance, limits
from iptlint.cli.clouds import ask_aws, read_cloud
from iptlint.cli.path_hosts import hosts_of
from iptlint.cli.readings import complain
from iptlint.model.cloud import Cloud

if TYPE_CHECKING:
    from iptlint.analysis.cloud_path import CloudPath, PathQuestion
    from iptlint.analysis.host_layers import HostFirewall
    from iptlint.model.cloud import IPNetwork, NetInterface

NOT_THROUGH = 1
NOTHING = Cloud()


@click.command(name="path", options_metavar="[OPTION…]")
@click.argument("files", nargs=-1, metavar="[FILE…]")
@click.option(
    "--aws",
    "documents",
    multiple=True,
    metavar="DIR|FILE",
    help="What `aws ec2 describe-…` printed, a CloudFormation template, or what `terraform show "
    "-json` printed: a file, or a directory of them. May be given again.",
)
@click.option(
    "--aws-live", is_flag=True, help="Ask AWS itself, with your credentials; it only reads."
)
@click.option("--region", metavar="NAME", help="Of AWS, with --aws-live.")
@click.option("--profile", metavar="NAME", help="Of the credentials, with --aws-live.")
@click.option("--instance", metavar="ID", help="The machine; its only one if the documents say so.")
@click.option("--interface", metavar="ID", help="One interface, of a machine or of a service.")
@click.option(
    "--from",
    "client",
    metavar="ADDRESS|ID",
    help="The client: an address, a network, or a machine or interface of the cloud by its id. "
    "Without it, the internet.",
)
@click.option("--proto", metavar="NAME", help="tcp, udp, icmp … or a number; tcp where a port is.")
@click.option("--dport", type=click.IntRange(0, 65535), metavar="PORT", help="Destination port.")
@click.option("--sport", type=click.IntRange(0, 65535), metavar="PORT", help="The client's port.")
@click.option("--iif", metavar="NAME", help="The host's interface that leads to the cloud.")
@click.option(
    "--matrix", is_flag=True, help="A table: for each service, who gets through each layer."
)
@click.option(
    "--output-format",
    type=click.Choice(["text", "json", "html"]),
    default="text",
    show_default=True,
    help="How to print the answer.",
)
@options.ipsets
@options.includes
@limits
def command(
    files: tuple[str, ...],
    documents: tuple[str, ...],
    aws_live: bool,
    region: str | None,
    profile: str | None,
    iif: str | None,
    matrix: bool,
    output_format: str,
    ipsets: tuple[str, ...],
    include_dirs: tuple[str, ...],
    no_include: bool,
    allowance: Allowance,
    **asked: Any,
) -> int:
    """Follow connections to a machine in a cloud through every firewall on their way.

    Route and gateway, network ACL, security groups, the host by all rules of FILE, its answers,
    and the ACL once more: a row a layer, and the first that stops them. FILE holds the rules of
    the host, or is a capture that `iptlint live --save` wrote; without it the host is not asked.
    What is left out may be anything: then the answer is which part of the internet gets to which
    ports. The exit status is 0 where all of it gets through, 1 where not.
    """
    from iptlint.packets.query import QueryError

    if aws_live is bool(documents):
        raise click.UsageError("name documents with --aws, or ask AWS itself with --aws-live")
    reader = options.reader_of({"include_dirs": include_dirs, "no_include": no_include})
    if aws_live:
        reading = ask_aws(region, profile, reader, allowance)
    else:
        reading = read_cloud(documents, reader, allowance)
    readings, hosts = hosts_of(files, reader, ipsets, allowance)
    cloud = reading.ruleset.cloud or NOTHING
    try:
        with allowance.for_("to follow the connections; say more of them, as --dport 443"):
            paths = [_path(cloud, each, hosts, iif) for each in _questions(cloud, **asked)]
    except QueryError as error:
        raise click.UsageError(str(error)) from error
    if matrix:
        _print_matrix(cloud, paths, hosts, output_format)
    else:
        _print(paths, output_format)
    unread = [complain(each) for each in (reading, *readings)]
    if any(unread):
        return FAILED
    return 0 if matrix or (paths and all(path.works for path in paths)) else NOT_THROUGH


def _print(paths: Sequence[CloudPath], output_format: str) -> None:
    from iptlint.reports.path import path_json, path_text

    if output_format == "json":
        streams.write_utf8(path_json(paths))
    elif output_format == "html":
        from iptlint.reports.html.path_page import path_html

        streams.write_utf8(path_html(paths))
    else:
        streams.write(path_text(paths))


def _print_matrix(
    cloud: Cloud, paths: Sequence[CloudPath], hosts: Sequence[HostFirewall], output_format: str
) -> None:
    from iptlint.analysis.cloud_matrix import service_rows
    from iptlint.reports.path_matrix import PathMatrix, matrix_json, matrix_text

    listeners = [one for host in hosts for one in host.listeners or ()]
    matrices = [PathMatrix(path, (*service_rows(cloud, path, listeners),)) for path in paths]
    if output_format == "json":
        streams.write_utf8(matrix_json(matrices))
    elif output_format == "html":
        from iptlint.reports.html.path_page import path_matrix_html

        streams.write_utf8(path_matrix_html(matrices))
    else:
        streams.write(matrix_text(matrices))


def _path(
    cloud: Cloud, question: PathQuestion, hosts: Sequence[HostFirewall], iif: str | None
) -> CloudPath:
    from iptlint.analysis.cloud_path import cloud_path
    from iptlint.cli.path_hosts import host_for
    from iptlint.reports.places import in_words

    return cloud_path(cloud, question, host_for(hosts, cloud, question, iif), in_words)


def _interfaces(
    cloud: Cloud, instance: str | None, interface: str | None
) -> tuple[NetInterface, ...]:
    """Those that are asked about; a sentence where they are not in the documents."""
    if interface is not None:
        known = cloud.interface(interface)
        if known is None:
            raise click.UsageError(
                _unknown("interface", interface, [i.id for i in cloud.interfaces])
            )
        return (known,)
    machines = dict.fromkeys(each.instance for each in cloud.interfaces if each.instance)
    if instance is None:
        if len(machines) != 1:
            raise click.UsageError(
                "name the machine with --instance, or an interface with --interface: "
                + (_some([*filter(None, machines)]) or "the documents have no machine")
            )
        (instance,) = machines
    several = tuple(each for each in cloud.interfaces if each.instance == instance)
    if not several:
        raise click.UsageError(_unknown("machine", str(instance), [*filter(None, machines)]))
    return several


def _unknown(what: str, named: str, known: Sequence[str]) -> str:
    import difflib

    near = difflib.get_close_matches(named, known, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    has = f"; they have {_some(known)}" if known else ""
    return f"there is no {what} {named} in the documents{hint}{has}"


def _some(names: Sequence[str]) -> str:
    from iptlint.packets.describe.lists import few

    return few(names, 5)


def _questions(
    cloud: Cloud,
    instance: str | None,
    interface: str | None,
    client: str | None,
    proto: str | None,
    sport: int | None,
    dport: int | None,
) -> Iterator[PathQuestion]:
    """One for each interface and each family that both ends have an address of."""
    from iptlint.analysis.cloud_path import PathQuestion
    from iptlint.model.protocols import PORT_PROTOCOLS
    from iptlint.packets.query import protocol

    clients, sender = _client(cloud, client)
    has_port = dport is not None or sport is not None
    proto = proto or ("tcp" if has_port else None)
    if has_port and proto is not None and protocol(proto) not in PORT_PROTOCOLS:
        raise click.UsageError(f"{proto} has no ports: leave out --sport and --dport")
    made = False
    for each in _interfaces(cloud, instance, interface):
        for version in (4, 6):
            own = [address for address in each.addresses if address.version == version]
            those = None if clients is None else tuple(c for c in clients if c.version == version)
            if not own or those == () or _other_family(proto, version):
                continue
            # Of several addresses the one that the internet knows, else the first.
            best = next((address for address in own if address in each.public), own[0])
            made = True
            yield PathQuestion(each, best, those, proto, sport, dport, sender=sender)
    if not made:
        raise click.UsageError("client and machine have no addresses of the same family")


def _other_family(proto: str | None, version: int) -> bool:
    of = {"icmp": 4, "icmpv6": 6, "icmp6": 6, "ipv6-icmp": 6}.get(proto or "")
    return of is not None and of != version


def _client(
    cloud: Cloud, client: str | None
) -> tuple[tuple[IPNetwork, ...] | None, NetInterface | None]:
    """Its networks, None for the internet; and its interface, if it is one of the cloud."""
    if client is None or client == "internet":
        return None, None
    try:
        network = ip_network(client, strict=False)
    except ValueError:
        network = None
    for interface in cloud.interfaces:
        own = tuple(map(ip_network, interface.addresses))
        if network in own:
            return own if network is None else (network,), interface
        if client in (interface.id, interface.instance):
            return own, interface
    if network is None:
        known = [each.id for each in cloud.interfaces]
        raise click.UsageError(
            f"{client!r} is no address, no network, and no machine or interface of the documents "
            f"({_some(known)})"
        )
    return (network,), None
