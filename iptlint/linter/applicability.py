"""Which findings hold on the host that the rules are of, by what is known of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from iptlint.findings import Confidence, Finding
from iptlint.findings.grouping import Tell
from iptlint.rules.meta import Group, Needs
from iptlint.rules.registry import meta_of, rules

if TYPE_CHECKING:
    from iptlint.model.host import Host

_IP6 = "ip6"


def applies_to(host: Host, finding: Finding, tell: Tell = Finding.told) -> bool:
    """Whether the finding is about something that this host does."""
    source = finding.span.source
    if meta_of(finding).about_files and (host.is_running(source) or not source.text):
        return False
    return not (_lacks_ipv6(host, finding, tell) or _lacks_forwarding(host, finding, tell))


def qualified(host: Host, finding: Finding) -> Finding:
    """The finding, merely possible or without advice where what is known of the host says so."""
    if host.live and host.running is None:
        # Rules that could not be read may say otherwise.
        finding = replace(finding, confidence=Confidence.POSSIBLE)
    return _in_its_words(host, finding)


def _in_its_words(host: Host, finding: Finding) -> Finding:
    """Where tables of legacy iptables are looked at as one with those of nft, advice on rules is
    in the words of nft: none is better than the wrong one."""
    source = finding.span.source
    of_iptables = host.is_running(source) and "tables-" in source.path
    on_rules = meta_of(finding).group is not Group.PERSISTENCE
    in_others = host.mixed and of_iptables and on_rules
    return replace(finding, advice="", fix=None) if in_others else finding


def _lacks_ipv6(host: Host, finding: Finding, tell: Tell) -> bool:
    if host.facts.ipv6 is not False:
        return False
    packet = tell(finding).witness
    of_ip6 = packet is not None and packet.family == _IP6
    return of_ip6 or meta_of(finding).needs is Needs.IPV6


def _lacks_forwarding(host: Host, finding: Finding, tell: Tell) -> bool:
    """An open FORWARD passes nothing on where the kernel forwards nothing."""
    if meta_of(finding).needs is not Needs.FORWARDING:
        return False
    packet = tell(finding).witness
    if packet is None or packet.hook != "forward":
        return False
    return host.facts.forwards(packet.family) is False


def without_sshd(host: Host) -> tuple[str, ...]:
    """The codes of the rules that have nothing to say where nothing listens for SSH."""
    facts = host.facts
    if facts.listeners is None:
        return ()
    listening = {one.port for one in facts.listeners if one.protocol == "tcp"}
    if listening & {*(facts.ssh_ports or (22,))}:
        return ()
    return tuple(rule.meta.code for rule in rules() if rule.meta.needs is Needs.SSH)
