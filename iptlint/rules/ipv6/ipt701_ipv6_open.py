"""IPv4 is denied by default and IPv6 is open.

## What it does
Compares the INPUT chains of a host's IPv4 and IPv6 rules: two tables of one source, or two
sources of one run that belong together (`rules.v4` and `rules.v6`, `iptables` and
`ip6tables`). After `flush ruleset` an nft file is all there is. If IPv4 denies by default and
IPv6 has no filter rules, or accepts what no rule names, that is reported at the IPv6 policy.
Where both deny by default, a rule that opens a port to every address over IPv6, which IPv4 accepts
from some only, is a warning; IPT603 speaks of the services that it knows. So is OUTPUT, or FORWARD
of a router, that denies by default over IPv4 and for which nobody wrote a rule over IPv6; an error
where IPv4 may leave by a tunnel, which IPv6 then passes by. Nothing is said where no IPv6 rules
were given.

## Why it matters
Most hosts have an IPv6 address whether anyone asked for one or not. Every service that the
IPv4 rules protect is then open to whoever connects over IPv6.

## Example
`rules.v4`:
```
*filter
:INPUT DROP [0:0]
-A INPUT -p tcp --dport 22 -j ACCEPT
COMMIT
```
`rules.v6`:
```
*filter
:INPUT ACCEPT [0:0]
COMMIT
```

## Fix
Write the same rules for IPv6 (with ICMPv6 accepted, which neighbour discovery needs), or
deny everything there: `:INPUT DROP [0:0]`. In nft, one `inet` table is for both.

## When it is wrong
Where IPv6 is switched off in the kernel (`ipv6.disable=1`), so that no packet arrives. Where
another script has the rules for IPv6; where a script touches those under conditions only, the
finding is possible. A file of nft with includes that are not there to be read
is left alone.

## References
- RFC 7123 (IPv6 on IPv4 networks): https://www.rfc-editor.org/rfc/rfc7123
- RFC 4890 (ICMPv6 filtering): https://www.rfc-editor.org/rfc/rfc4890
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from iptlint.analysis.accepts_anyone import on_unnamed_interfaces
from iptlint.analysis.default_verdict import accepted_strangers, dropped_by_default, likened
from iptlint.analysis.evidence import shown_for
from iptlint.analysis.handshake import opening
from iptlint.analysis.ipv6_counterpart import only_ipv6_open
from iptlint.analysis.open_over_ipv6 import OpenOverIp6, open_over_ipv6
from iptlint.analysis.open_ways import OpenWay, open_ways
from iptlint.analysis.session import Context
from iptlint.analysis.shares import shares
from iptlint.findings import Cause, Confidence, Finding, Label, Severity
from iptlint.model import Family, Field, Hook, Ruleset
from iptlint.packets.describe.lists import listed
from iptlint.packets.packet import Packet
from iptlint.packets.witness import witness
from iptlint.rules.meta import Group, Meta, Needs
from iptlint.source import Span

if TYPE_CHECKING:
    from iptlint.analysis.shares import Share
    from iptlint.netfilter.firewall import Hooks

META = Meta(
    code="IPT701",
    name="ipv6-open",
    severity=Severity.ERROR,
    confidence=Confidence.CERTAIN,
    group=Group.IPV6,
    since="0.1.0",
    yields_to=("IPT603",),
    needs=Needs.IPV6,
)


def check(context: Context) -> Iterator[Finding]:
    told: set[Ruleset] = set()
    for ip, beside, ip6 in only_ipv6_open(context):
        told.add(beside)
        why = (_start(beside), _no_rules(beside), None) if ip6 is None else _why(ip6)
        finding = _open(ip, ip6, *why)
        script = beside.script
        may_be_left = script is not None and script.may_leave(Family.IP6)
        yield _unless_left(finding) if may_be_left else finding
    yield from map(_port_finding, open_over_ipv6(context))
    yield from (_way(way) for way in open_ways(context) if way.beside not in told)


def _way(way: OpenWay) -> Finding:
    """What leaves, or goes through; who reads only the rules of IPv4 takes it for denied."""
    hook, forward = way.hook, way.hook is Hook.FORWARD
    main = way.ip6.deciding_chain(hook)
    accepting = next(iter(shares(way.ip6, hook, accepted_strangers(way.ip6, hook))), None)
    does = "passes through this host" if forward else "leaves this host"
    why = f"{accepting.name} accepts it" if accepting else f"there is no chain at {hook.value}"
    if forward:
        why += ", if IPv6 is forwarded at all"
    deciding = shares(way.ip, hook, dropped_by_default(way.ip, hook))
    denier = next((share for share in deciding if share.kind.denies), None)
    return META.finding(
        accepting.span if accepting else _start(way.beside),
        f"over IPv6 everything {does} while IPv4 denies by default: {why}",
        _way_advice(way, main is None),
        related=(Label(denier.span, "IPv4 denies by default"),) if denier else (),
        witness=shown_for(way.ip6, hook, accepting) if accepting else None,
        severity=None if way.tunnel else Severity.WARNING,
        confidence=Confidence.POSSIBLE if forward else None,
    )


def _way_advice(way: OpenWay, is_missing: bool) -> str:
    name = way.hook.value.upper()
    needed = "" if way.hook is Hook.FORWARD else " (after lo, established and neighbour discovery)"
    policy = f"ip6tables -P {name} DROP" if way.ip.ruleset.script else f":{name} DROP [0:0]"
    nft = "`policy drop;`"
    if is_missing:
        nft = f"`type filter hook {way.hook.value} priority filter; policy drop;`"
    denial = way.ip.ruleset.syntax.pick(iptables=f"`{policy}`", nft=nft)
    return f"write the same rules for IPv6, or deny there too: {denial}{needed}"


def _port_finding(open_port: OpenOverIp6) -> Finding:
    ports = listed([f"{port}/tcp" for port in open_port.ports])
    verb = "is" if len(open_port.ports) == 1 else "are"
    opened, kept = open_port.opened, open_port.kept
    return META.finding(
        opened.span,
        f"{ports} {verb} open to every address over IPv6, and over IPv4 only to those that"
        f" {kept.name} accepts",
        "accept it from your networks only over IPv6, too",
        related=(Label(kept.span, "over IPv4 only these"),),
        witness=shown_for(open_port.ip6, Hook.INPUT, opened),
        severity=Severity.WARNING,
        likeness=ports,
        causes=(Cause(open_port.ip6.ruleset, part=opened.rule),),
    )


def _unless_left(finding: Finding) -> Finding:
    return replace(
        finding,
        message=f"{finding.message}, unless something else filters IPv6: the script may leave its "
        "filters as they were",
        confidence=Confidence.POSSIBLE,
    )


def _closing(ip: Hooks) -> list[Share]:
    """What turns away a stranger's connection over IPv4."""
    deciding = shares(ip, Hook.INPUT, opening(ip) & dropped_by_default(ip, Hook.INPUT))
    return [share for share in deciding if share.does in ("drops", "rejects")]


def _start(ruleset: Ruleset) -> Span:
    """Where the IPv6 tables of the source begin; where it has none, what empties them or its
    first line."""
    origins = (table.origin for table in ruleset.tables if table.family is Family.IP6)
    first = next(origins, ruleset.flush)
    return first.span if first else ruleset.source.line_span(1)


def _no_rules(ruleset: Ruleset) -> str:
    if ruleset.syntax.is_of_all_families and not ruleset.sees(Family.IP6):
        return "this empties the IPv6 tables too, and the file fills none"
    return "there are no IPv6 filter rules"


def _why(hooks: Hooks) -> tuple[Span, str, Packet | None]:
    strangers = accepted_strangers(hooks, Hook.INPUT)
    accepting = shares(hooks, Hook.INPUT, strangers)
    if not accepting:
        packet = witness(hooks.space, likened(hooks, strangers), Hook.INPUT)
        return _start(hooks.ruleset), _no_rules(hooks.ruleset), packet
    return (
        accepting[0].span,
        f"{accepting[0].name} accepts new connections that no rule names",
        shown_for(hooks, Hook.INPUT, accepting[0]),
    )


def _open(ip: Hooks, ip6: Hooks | None, span: Span, why: str, packet: Packet | None) -> Finding:
    only = _denied_only_on(ip)
    denies = f"denies what comes in by {listed(only)}" if only else "denies by default"
    related = [Label(share.span, f"IPv4 {denies}") for share in _closing(ip)[:1]]
    return META.finding(
        span,
        f"IPv6 is open while IPv4 {denies}: {why}",
        _advice(ip, ip6),
        related=tuple(related),
        witness=_coming_by(only, packet, ip6) if only and packet else packet,
        causes=(Cause(ip6.ruleset, Family.IP6, Hook.INPUT),) if ip6 else (),
    )


def _denied_only_on(ip: Hooks) -> list[str]:
    """The interfaces on which IPv4 denies strangers; none where it does so on all others too."""
    space, denied = ip.space, dropped_by_default(ip, Hook.INPUT)
    if (denied & on_unnamed_interfaces(space, Hook.INPUT)).satisfiable():
        return []
    classes = enumerate(space.interfaces.classes, start=1)
    here = ((number, cls.name + "+" * cls.wildcard) for number, cls in classes)
    return [name for n, name in here if (denied & space.value(Field.IIF, n)).satisfiable()]


def _coming_by(names: list[str], packet: Packet, ip6: Hooks | None) -> Packet | None:
    """The packet by one of these, if no rule of IPv6 asks by which it comes."""
    asked = {cls.name for cls in ip6.space.interfaces.classes} if ip6 else set[str]()
    free = (name for name in names if name not in asked and not name.endswith("+"))
    name = packet.iif if packet.iif in names else next(free, None)
    return replace(packet, iif=name) if name else None


def _advice(ip: Hooks, ip6: Hooks | None) -> str:
    main = ip6.deciding_chain(Hook.INPUT) if ip6 else None
    nft = "write the same rules for IPv6, or deny there too: `policy drop;`"
    if main is None:
        nft = "make the table `inet`, so that its rules are for both, or write one for `ip6` too"
    policy = "ip6tables -P INPUT DROP" if ip.ruleset.script else ":INPUT DROP [0:0]"
    iptables = f"write the same rules for IPv6, or deny there too: `{policy}`"
    return ip.ruleset.syntax.pick(iptables=iptables, nft=nft)
