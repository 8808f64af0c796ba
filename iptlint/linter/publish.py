"""Which findings hold on the host that the rules are of, by what is known of it."""

from __future__ import annotations

from dataclasses import replace

from iptlint.findings import Confidence, Finding
from iptlint.model.host import Host

OF_FILES = ("IPT008", "IPT403", "IPT404", "IPT405", "IPT406", "IPT407")
"""About a text that someone keeps and loads; what a command prints is none."""

_OF_SSH = ("IPT301", "IPT302", "IPT604")
_OF_ROUTERS = ("IPT601", "IPT605")
_IP6 = "ip6"
_OF_IP6 = "IPT7"


def applies_to(host: Host, finding: Finding) -> bool:
    """Whether the finding is about something that this host does."""
    source = finding.span.source
    if finding.code in OF_FILES and (host.is_running(source) or not source.text):
        return False
    return not (_without_ipv6(host, finding) or _without_forwarding(host, finding))


def qualified(host: Host, finding: Finding) -> Finding:
    """The finding as far as what is known of the host bears it out."""
    if host.live and host.running is None:
        # Rules that could not be read may say otherwise.
        finding = replace(finding, confidence=Confidence.POSSIBLE)
    return _in_its_words(host, finding)


def _in_its_words(host: Host, finding: Finding) -> Finding:
    """Where tables of legacy iptables are looked at as one with those of nft, advice is in the
    words of nft: none is better than the wrong one."""
    of_iptables = host.is_running(finding.span.source) and "tables-" in finding.span.source.path
    wrong = host.mixed and of_iptables and not finding.code.startswith(_OF_HOSTS)
    return replace(finding, help="") if wrong else finding


_OF_HOSTS = ("IPT4",)


def _without_ipv6(host: Host, finding: Finding) -> bool:
    packet = finding.witness
    about = finding.code.startswith(_OF_IP6) or (packet is not None and packet.family == _IP6)
    return host.facts.ipv6 is False and about


def _without_forwarding(host: Host, finding: Finding) -> bool:
    """An open FORWARD passes nothing on where the kernel forwards nothing."""
    packet = finding.witness
    if packet is None or packet.hook != "forward" or finding.code not in _OF_ROUTERS:
        return False
    return host.facts.forwards(packet.family) is False


def without_sshd(host: Host) -> tuple[str, ...]:
    """The rules that have nothing to say where nothing listens for SSH."""
    facts = host.facts
    if facts.listeners is None:
        return ()
    listening = {one.port for one in facts.listeners if one.protocol == "tcp"}
    return () if listening & {*(facts.ssh_ports or (22,))} else _OF_SSH
