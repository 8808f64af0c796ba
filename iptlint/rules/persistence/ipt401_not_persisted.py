"""The rules that run are gone after a reboot: nothing loads them at boot.

## What it does
`iptlint live` looks at everything on the host that loads rules at boot: netfilter-persistent,
iptables-services, nftables.service, ufw, firewalld and other managers, OpenRC, units and scripts
of your own, hooks of interfaces, cron. Where none of them loads rules of an address family, and
rules of that family run, that is reported at the first of them. With `--root`, files of rules
that no service loads are.

## Why it matters
The host comes back from a reboot, which may be months away and nobody's plan, with every port
open. Nothing complains: without rules everything works.

## Example
```
$ iptables -A INPUT -p tcp --dport 3306 -j DROP
```
and no package that saves it.

## Fix
Debian and Ubuntu: `apt install iptables-persistent`, then `netfilter-persistent save`. RHEL and
its kin: `dnf install iptables-services`, `iptables-save > /etc/sysconfig/iptables` and
`systemctl enable iptables`. Alpine: `rc-service iptables save`, `rc-update add iptables`. With
nft: write your tables to the file that nftables.service loads, and `systemctl enable nftables`.

## When it is wrong
Where something loads the rules that cannot be seen from the host (Ansible, a management agent, a
container's host), or that keeps them in a binary. Rules of docker, kube-proxy, fail2ban and the
like do not count. Nothing is said where a line that runs at boot speaks of a firewall and is
not understood, or where no init system is found; where some place may not be read, the finding
is possible only.

## References
- Debian wiki, iptables: https://wiki.debian.org/iptables
- netfilter-persistent(8), systemd.unit(5), "[Install]"
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Severity
from iptlint.findings.phrases import counted
from iptlint.model import IP_VERSIONS, Chain, Family, Hook, Rule, Ruleset, Table
from iptlint.model.edits import without_generated
from iptlint.model.software import decisions, software_in
from iptlint.packets.describe.lists import listed
from iptlint.rules.meta import Group, Meta
from iptlint.source import Span

if TYPE_CHECKING:
    from iptlint.model.host import Host

META = Meta(
    code="IPT401",
    name="not-persisted",
    severity=Severity.ERROR,
    confidence=Confidence.CERTAIN,
    group=Group.PERSISTENCE,
    since="0.2.0",
)

_Decision = tuple[Table, Chain, Rule | None]


def check(context: Context) -> Iterator[Finding]:
    host = context.host
    if host is None or not host.boot_known:
        return
    if any(not loader.loads_files for loader in host.loaders):
        return
    yield from _running(host) if host.live else _stored(host)


def _running(host: Host) -> Iterator[Finding]:
    if host.running is None or host.saved is None:
        return
    own = without_generated(host.running)
    at_boot = {family for family in IP_VERSIONS if host.saved.sees(family)}
    lost: dict[Family, list[_Decision]] = {}
    for family in IP_VERSIONS:
        unsaved = [d for d in decisions(own) if family.value in d[0].family.packets]
        if software_in(host.running):
            # What it adds to other chains is not always known for its own.
            unsaved = [d for d in unsaved if _guards_host(d)]
        off = family is Family.IP6 and host.facts.ipv6 is False
        if unsaved and family not in at_boot and not off:
            lost[family] = unsaved
    if lost:
        yield _finding(host, lost)


def _guards_host(decision: _Decision) -> bool:
    _, chain, _ = decision
    return chain.hook is Hook.INPUT


def _finding(host: Host, lost: dict[Family, list[_Decision]]) -> Finding:
    decisions_ = list({d[2] or d[1]: d for of_family in lost.values() for d in of_family}.values())
    rules = sum(rule is not None for _, _, rule in decisions_)
    policies = len(decisions_) - rules
    what = [counted(rules, "rule")] * bool(rules)
    what += [counted(policies, "policy").replace("policys", "policies")] * bool(policies)
    versions = listed([IP_VERSIONS[family] for family in lost])
    several = len(decisions_) > 1
    return META.finding(
        _span(decisions_),
        f"after a reboot {'these' if several else 'this'} {listed(what)} for {versions}"
        f" {'are' if several else 'is'} gone: {_why(host, [*lost])}",
        _advice(host, is_nft=_is_nft(decisions_)),
        confidence=_confidence(host),
    )


def _confidence(host: Host) -> Confidence:
    """A file that could not be read may load the rules."""
    shut = (one.what for one in host.unread if one.what.startswith("/"))
    unread = any(not what.startswith("/proc/") for what in shut)
    return Confidence.POSSIBLE if unread else Confidence.CERTAIN


def _why(host: Host, families: Sequence[Family]) -> str:
    if not host.loaders:
        there = [
            ruleset.source.path
            for ruleset in host.stored
            if any(map(ruleset.sees, families)) and any(True for _ in decisions(ruleset))
        ]
        if there:
            return f"{listed(there[:2])} is there, but no service that loads it is started at boot"
        return "nothing that is started at boot loads rules"
    names = listed([loader.name for loader in host.loaders])
    files = [load.path for loader in host.loaders for load in loader.files]
    loads = f"only {listed(files)}" if files else "no file of rules, for there is none"
    return f"{names} {'loads' if len(host.loaders) == 1 else 'load'} {loads}"


def _span(decided: Sequence[_Decision]) -> Span:
    table, chain, rule = next((d for d in decided if d[2] is not None), decided[0])
    if rule is not None:
        return rule.statement.span
    origin = chain.origin or table.origin
    assert origin is not None  # a policy is written where its chain is declared
    return origin.span


def _is_nft(decided: Sequence[_Decision]) -> bool:
    return all(_span([decision]).source.path.startswith("nft") for decision in decided)


def _advice(host: Host, *, is_nft: bool) -> str:
    debian, redhat = host.system in ("debian", "ubuntu"), host.system in _RED_HAT
    if host.system == "nixos":
        return "write them into configuration.nix (networking.firewall, networking.nftables)"
    if is_nft:
        file = "/etc/sysconfig/nftables.conf" if redhat else "/etc/nftables.conf"
        return (
            f"write your tables to {file} (`nft list table inet filter`), then"
            " `systemctl enable nftables`"
        )
    if debian:
        return "`apt install iptables-persistent`, then `netfilter-persistent save`"
    if redhat:
        return (
            "`dnf install iptables-services`, `iptables-save > /etc/sysconfig/iptables`, then"
            " `systemctl enable iptables` (ip6tables for IPv6)"
        )
    if host.system == "alpine":
        return "`rc-service iptables save`, then `rc-update add iptables` (ip6tables for IPv6)"
    return "save them (`iptables-save`), and let a service load them at boot"


_RED_HAT = ("rhel", "centos", "rocky", "almalinux", "fedora", "ol", "amzn")


def _stored(host: Host) -> Iterator[Finding]:
    """A root file system: files that nothing loads."""
    if host.loaders:
        return
    for ruleset in host.stored:
        decided = [*decisions(without_generated(ruleset))]
        if decided:
            yield _of_file(host, ruleset, decided)


def _of_file(host: Host, ruleset: Ruleset, decided: Sequence[_Decision]) -> Finding:
    return META.finding(
        _span(decided),
        "nothing that is started at boot loads this file, nor any other with rules: the host comes"
        " up without a firewall",
        _enable(host, ruleset),
        confidence=_confidence(host),
    )


def _enable(host: Host, ruleset: Ruleset) -> str:
    path = ruleset.source.path
    service = next((service for part, service in _SERVICES if part in path), "")
    if not service:
        return "let a service load it at boot, or delete it"
    if host.system == "alpine":
        return f"`rc-update add {service}`"
    return f"`systemctl enable {service}`"


_SERVICES = (
    ("nft", "nftables"),
    ("/iptables/rules.v", "netfilter-persistent"),
    ("/sysconfig/iptables", "iptables"),
    ("/sysconfig/ip6tables", "ip6tables"),
    ("/ip6tables", "ip6tables"),
    ("rules6-save", "ip6tables"),
    ("/iptables", "iptables"),
)
