"""MASQUERADE or SNAT takes everything that leaves, whatever its interface or source.

## What it does
Reports a rule that translates the source of every packet that leaves: from any source, to any
destination, by any interface but `lo`. It looks at the packets that get to the rule: one behind
exceptions, such as a RETURN for private destinations, is restricted by them.

## Why it matters
What the host forwards from the world to a machine behind it (a port that is forwarded, a VPN)
then seems to come from the host itself. Logs, bans and access lists there see one address for
everybody. Packets between two networks behind the router are changed as well.

## Example
```
*nat
-A POSTROUTING -j MASQUERADE
COMMIT
```

## Fix
Name the interface that leads to the world: `-A POSTROUTING -o eth0 -j MASQUERADE`; or the
network to be translated: `-A POSTROUTING -s 192.168.1.0/24 -o eth0 -j MASQUERADE`.

## When it is wrong
Where that is meant: the machines behind have no route back to whoever connects, and one
interface is all there is. Rules with a mark, an interface, an address or any other test that
leaves something out are not reported, nor are those that software writes.

## References
- iptables-extensions(8), MASQUERADE and SNAT: https://man7.org/linux/man-pages/man8/iptables-extensions.8.html
- RFC 3022 (traditional NAT): https://www.rfc-editor.org/rfc/rfc3022
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.default_verdict import hosts
from iptlint.analysis.nat import uplink
from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import dead_ids, later_copies, writer_of
from iptlint.findings import Confidence, Finding, Severity
from iptlint.findings.per_family import for_each_family
from iptlint.model import Chain, Field, Hook, Rule, VerdictKind
from iptlint.netfilter.base_chain import BaseChain
from iptlint.netfilter.hooks import Hooks
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.packets.ordinary import typically_holds
from iptlint.packets.witness import TCP, UDP, witness
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT801",
    name="masquerade-unscoped",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.NAT,
    since="0.1.0",
)

_KINDS = {"everything": (TCP, UDP), "all tcp": (TCP,), "all udp": (UDP,)}
"""What a rule may take, as the message calls it; the first that it takes."""

_TRANSLATING = ("MASQUERADE", "SNAT")
_OTHER_ENDS = tuple(kind for kind in VerdictKind if kind is not VerdictKind.NAT)
_CHAIN_OPTION = re.compile(r"(-[AI]|--append|--insert)\s+\S+(\s+\d+(?=\s))?")


def check(context: Context) -> Iterator[Finding]:
    return for_each_family(context, _check_path)


def _check_path(path: Hooks) -> Iterator[Finding]:
    stations = [s for s in path.stations(Hook.POSTROUTING) if s.chain.type == "nat"]
    if not any(map(_candidates, stations)):
        return
    leaving = {kind: _leaving(path, *numbers) for kind, numbers in _KINDS.items()}
    for station in stations:
        for chain, rule in _candidates(station):
            kinds = (k for k, sent in leaving.items() if _takes_all(station, chain, rule, sent))
            if (kind := next(kinds, None)) is not None:
                yield _finding(path, station.walk, rule, kind, leaving[kind])
                break


def _candidates(station: BaseChain) -> list[tuple[Chain, Rule]]:
    walk = station.walk
    return [
        (chain, rule)
        for chain, rule in walk.table.rules()
        if rule.verdict.name.upper() in _TRANSLATING
        if any(base is station.chain for base in walk.bases_of(chain.name))
        if writer_of(walk, rule) is None
        if id(rule) not in dead_ids(walk) | later_copies(walk)
    ]


def _leaving(path: Hooks, *protocols: int) -> PacketSet:
    """New connections of any host to any host, by any interface but lo."""
    space = path.space
    return (
        path.hook_packets(Hook.POSTROUTING)
        & ~space.interface(Field.OIF, "lo")
        & space.state("new")
        & space.ranges(Field.PROTO, tuple((number, number) for number in protocols))
        & hosts(path, path.family.saddr)
        & hosts(path, path.family.daddr)
        & space.value(Field.CT_DIRECTION, 0)
    )


def _takes_all(station: BaseChain, chain: Chain, rule: Rule, leaving: PacketSet) -> bool:
    walk = station.walk
    asked = walk.tests(rule).sure & walk.entries[chain.name].sent
    if (leaving & ~asked).satisfiable():
        return False
    ordinary = leaving & walk.space.value(Field.MARK, 0)
    for key, variable in walk.space.opaques.items():
        ordinary = ordinary & (variable if typically_holds(key, Hook.POSTROUTING) else ~variable)
    return not any((ordinary & station.end(kind)).satisfiable() for kind in _OTHER_ENDS)


def _finding(
    path: Hooks, walk: TableAnalysis, rule: Rule, kind: str, leaving: PacketSet
) -> Finding:
    return META.finding(
        rule.statement.span,
        f"{kind} that leaves, from any source and by any interface, gets an address of this"
        " host: machines to which it forwards connections see this host instead of who connects",
        f"name the interface that leads to the world: {_restricted(path, rule)}",
        witness=witness(path.space, leaving & walk.matched(rule), Hook.POSTROUTING),
    )


def _restricted(path: Hooks, rule: Rule) -> str:
    """The rule as it is written, for one interface."""
    name, text = uplink(path), " ".join(rule.statement.span.text.split())
    if path.ruleset.is_nft:
        return f'oifname "{name}" {text}'
    return _CHAIN_OPTION.sub(lambda found: f"{found[0]} -o {name}", text, count=1)
