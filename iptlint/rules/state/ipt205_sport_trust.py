"""Whoever sends from a certain port reaches any port of this host.

## What it does
Where INPUT denies by default, sends new connections (tcp and udp) from public addresses to ports
that no rule would name, from every source port, on the whole way. Reports the rule that accepts
them because of the port they come from.

## Why it matters
The sender chooses its source port. A rule that was to let answers of name servers in (`--sport
53`) lets in anyone who sends from port 53, to databases and SSH alike; scanners try just that.

## Example
```
*filter
:INPUT DROP [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -p udp --sport 53 -j ACCEPT
COMMIT
```

## Fix
Let conntrack recognise the answers, and delete the rule:
```
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
```
in nft `ct state established,related accept`. Where nothing may be tracked, add the address of the
server (`-s 192.0.2.53`) and the ports of clients (`--dport 1024:65535`).

## When it is wrong
Where another firewall before the host checks state. Rules that also ask for a destination port
(as DHCP does: from 67 to 68), for certain addresses or for running connections are not reported.

## References
- nmap, "Firewall/IDS Evasion and Spoofing", `--source-port`:
  https://nmap.org/book/man-bypass-firewalls-ids.html
- RFC 6056 (source ports are the sender's choice): https://www.rfc-editor.org/rfc/rfc6056
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.connections import any_port, few_ports, from_world, most
from iptlint.analysis.default_verdict import ODD_PORTS, dropped_by_default
from iptlint.analysis.evidence import shown_for
from iptlint.analysis.exposure import Exposure, outward
from iptlint.analysis.external_interfaces import external_classes
from iptlint.analysis.handshake import untracks
from iptlint.analysis.hook_verdicts import may_pass
from iptlint.analysis.session import Context
from iptlint.analysis.shares import Share
from iptlint.analysis.user_rules import is_user_decision
from iptlint.findings import Confidence, Finding, Severity
from iptlint.findings.per_family import for_each_family
from iptlint.findings.suggestions import ESTABLISHED
from iptlint.model import AnyOf, Field, Hook, Match, Rule
from iptlint.model.protocols import TCP, UDP
from iptlint.packets.bdd import union
from iptlint.packets.describe.lists import listed
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT205",
    name="sport-trust",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.STATE,
    since="0.1.0",
)

_ASKED = ((TCP, "tcp", ("syn",)), (UDP, "udp", ()))
_ASKED_OF_ALL = frozenset((137, 1900, 3702, 5353))
"""Ports of services that are asked for by multicast or broadcast: NetBIOS names (RFC 1002), SSDP,
WS-Discovery, mDNS (RFC 6762)."""
_CLIENTS = ((32768, 60999),)  # net.ipv4.ip_local_port_range


def check(context: Context) -> Iterator[Finding]:
    return for_each_family(context, _check_family)


def _check_family(hooks: Hooks) -> Iterator[Finding]:
    if not _asks_for_source_port(hooks) or hooks.deciding_chain(Hook.INPUT) is None:
        return
    if dropped_by_default(hooks, Hook.INPUT).satisfiable():
        reported: set[Rule | None] = set()
        for protocol, name, flags in _ASKED:
            for share, ports in _trusting(hooks, protocol, *flags):
                if is_user_decision(share) and share.rule not in reported:
                    reported.add(share.rule)
                    yield _finding(hooks, share, protocol, name, ports)


def _asks_for_source_port(hooks: Hooks) -> bool:
    matches = (match for rule in hooks.testing() for match in rule.matches)
    return any(map(_tests_sport, matches))


def _tests_sport(match: Match) -> bool:
    match match:
        case AnyOf(alternatives):
            return any(_tests_sport(test) for tests in alternatives for test in tests)
        case _:
            return getattr(match, "field", None) is Field.SPORT


def _trusting(hooks: Hooks, protocol: int, *flags: str) -> Iterator[tuple[Share, PacketSet]]:
    """Who accepts packets to any port by their source port, and these ports (over ``SPORT``)."""
    space, hook = hooks.space, Hook.INPUT
    odd = space.ranges(Field.DPORT, tuple((port, port) for port in ODD_PORTS))
    odd = odd & dropped_by_default(hooks, hook)
    asked = from_world(
        hooks, hook, "new", *flags, protocol=protocol, free=(Field.SPORT,), by_only_card=True
    )
    asked = tuple(one & odd for one in asked)
    passing = may_pass(hooks, hook, union([*asked], space.false))
    if not _trusted(hooks, asked, passing).satisfiable():
        return
    admission = Exposure(hooks, hook, asked)
    accepted = admission.accepted_from_unlisted
    trusted = _trusted(hooks, asked, accepted)
    for share in admission.accepters(accepted & trusted):
        if share.rule is not None:
            yield share, space.project(share.packets, Field.SPORT)


def _trusted(hooks: Hooks, asked: tuple[PacketSet, ...], accepted: PacketSet) -> PacketSet:
    """The source ports from which most callers reach all the odd ports, on interfaces where they
    do not from any port of a client."""
    space = hooks.space
    usual = most(space, asked, accepted, Field.IIF, Field.SPORT, Field.DPORT)
    anywhere = any_port(space, usual, Field.IIF, Field.SPORT)
    open_ = space.project(anywhere & space.ranges(Field.SPORT, _CLIENTS), Field.IIF)
    return anywhere & ~open_


def _finding(hooks: Hooks, share: Share, protocol: int, name: str, sports: PacketSet) -> Finding:
    ports = _ports(hooks, name, sports)
    return META.finding(
        share.span,
        f"anyone who sends from {ports} reaches ports of this host that no rule opens: the "
        "sender chooses where it sends from",
        _advice(hooks, share, protocol, sports),
        witness=shown_for(hooks, Hook.INPUT, share),
        confidence=None if _comes_by_uplink(hooks, share) else Confidence.POSSIBLE,
        likeness="sport",
    )


def _comes_by_uplink(hooks: Hooks, share: Share) -> bool:
    """Whether some come by an interface that rules name, where one of those faces the world: who
    comes by another one may be no stranger."""
    space = hooks.space
    other = len(space.interfaces.classes)
    named = [number for number in external_classes(hooks) if number != other]
    if not (share.packets & outward(hooks)).satisfiable():
        return False
    by_name = [space.value(Field.IIF, number) for number in named]
    return not named or (share.packets & union(by_name, space.false)).satisfiable()


def _advice(hooks: Hooks, share: Share, protocol: int, sports: PacketSet) -> str:
    """Whether answers need the rule: from ports that no rule names, others accept them or not."""
    announced = frozenset(few_ports(hooks.space, sports, Field.SPORT)) & _ASKED_OF_ALL
    if protocol == UDP and announced:
        return (
            f"ask for the destination port {listed([*map(str, sorted(announced))], 'or')} too: what"
            " is sent to all on the link, and what answers that, belongs to no connection"
        )
    if untracks(hooks):
        return "name the servers that are asked, with -s: what is not tracked has no state"
    flags = ("ack",) if protocol == TCP else ()
    answers = from_world(
        hooks, Hook.INPUT, "established", *flags, protocol=protocol, free=(Field.SPORT,)
    )
    odd = hooks.space.ranges(Field.SPORT, tuple((port, port) for port in ODD_PORTS))
    running = union([*answers], hooks.space.false) & odd
    running = running & hooks.space.ranges(Field.DPORT, _CLIENTS) & hooks.hook_packets(Hook.INPUT)
    if not (running & ~may_pass(hooks, Hook.INPUT, running)).satisfiable():
        return "delete it: answers are accepted by the state of their connection"
    return f"instead: {ESTABLISHED.into(share.chain.name, hooks.ruleset, share.analysis.table)}"


def _ports(hooks: Hooks, protocol: str, sports: PacketSet) -> str:
    """``udp port 53``, ``tcp ports 20 and 21``, ``certain tcp ports`` where they are many."""
    ports = [str(port) for port in few_ports(hooks.space, sports, Field.SPORT)]
    if not ports:
        return f"certain {protocol} ports"
    return f"{protocol} port{'s' * (len(ports) > 1)} {listed(ports)}"
