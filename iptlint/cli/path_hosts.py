"""The host at the end of a way through a cloud: its rules, and what a capture knows of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_network
from typing import TYPE_CHECKING

import click

from iptlint.cli.inputs import host_archive
from iptlint.cli.readings import with_sets

if TYPE_CHECKING:
    from iptlint.analysis.cloud_path import PathQuestion
    from iptlint.analysis.host_layers import HostFirewall
    from iptlint.cli.budgets import Allowance
    from iptlint.dialects import Reader, Reading
    from iptlint.model.cloud import Cloud


def hosts_of(
    files: Sequence[str], reader: Reader, ipsets: Sequence[str], allowance: Allowance
) -> tuple[list[Reading], list[HostFirewall]]:
    """What was read, and the firewalls in it: of IPv4 and IPv6 there may be one each."""
    from iptlint.analysis.host_layers import HostFirewall
    from iptlint.cli.readings import source_of
    from iptlint.model.host_addresses import shown_by

    archive = host_archive(files)
    if archive is not None:
        return [], [_captured(archive)]
    readings = [
        with_sets(source_of(file, allowance.most_bytes), reader, ipsets, allowance)
        for file in files
    ]
    for each in readings:
        if each.ruleset.cloud is not None:
            path = each.ruleset.source.path
            raise click.UsageError(f"{path} is a document of a cloud: name it with --aws")
    return readings, [HostFirewall(r.ruleset, shown_by(r.ruleset)) for r in readings]


def _captured(archive: str) -> HostFirewall:
    from iptlint.analysis.host_layers import HostFirewall
    from iptlint.cli.live import loaded
    from iptlint.host.examine import examine
    from iptlint.model.host_addresses import known_of, shown_by

    host = examine(loaded(archive)).host
    ruleset = host.running or host.saved
    if ruleset is None:
        raise click.ClickException(f"{archive}: its rules are not known as a whole; {host.untold}")
    facts = host.facts
    addresses = known_of(facts) or shown_by(ruleset)
    return HostFirewall(ruleset, addresses, None, facts.listeners, facts.facing())


def host_for(
    hosts: Sequence[HostFirewall], cloud: Cloud, question: PathQuestion, iif: str | None
) -> HostFirewall | None:
    """The one with rules for the family of the question. Where nobody has looked, the addresses of
    the machine are those that the cloud gives it."""
    from iptlint.analysis.host_layers import interface_of
    from iptlint.dialects.merging import merged

    seeing = [each for each in hosts if each.ruleset.sees(question.family)]
    if not seeing:
        return None
    host = seeing[0]
    if len(seeing) > 1:
        host = replace(host, ruleset=merged(tuple(each.ruleset for each in seeing)))
    known = interface_of(host.addresses, question.own)
    if not host.addresses.complete:
        machine = question.interface.instance
        own = [
            ip_network(address)
            for each in cloud.interfaces
            if each is question.interface or (machine and each.instance == machine)
            for address in each.addresses
        ]
        host = replace(host, addresses=replace(host.addresses, own=tuple(own), complete=True))
    return replace(host, interface=iif or known)
