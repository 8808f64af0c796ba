"""Whether the engine itself can follow a packet that a report shows to where it is said to come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING

from iptlint.model import Family, Hook, Rule, VerdictKind
from iptlint.netfilter.firewall import Hooks
from iptlint.netfilter.packet_group import Outcome, Visit
from iptlint.netfilter.routes import WAYS
from iptlint.netfilter.traversal import Traversal
from iptlint.netfilter.unknowns import Unknowns
from iptlint.packets.query import packets_like
from iptlint.source import SourceFile, Span

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Firewall
    from iptlint.packets.packet import Packet


def comes_to(firewall: Firewall, packet: Packet, spans: Sequence[Span]) -> bool:
    """Whether a packet like this one may come to a rule that is written at one of the places and
    match it, or to a policy that is; or behind a call that is too deep to be followed."""
    return any(any(map(span.overlaps, spans)) for span in _places(firewall, packet))


def _places(firewall: Firewall, packet: Packet) -> Iterator[Span]:
    """The rules that may take the packet on its way, and the policies that may decide it."""
    layers = [
        family
        for family, ways in WAYS.items()
        if packet.family in family.packets and any(_hook(packet) in way for way in ways.values())
    ]
    for each, family in product((firewall, *firewall.other_orders()), layers):
        taking: list[Rule] = []

        def on_visit(rule: Rule, visit: Visit, taking: list[Rule] = taking) -> None:
            if visit.taken.satisfiable():
                taking.append(rule)

        unknowns = Unknowns(each.space)
        routed = family in (Family.IP, Family.IP6)
        traversal = Traversal(
            each,
            family,
            unknowns,
            by_rule=True,
            routing=Hooks(each, family).on_any_host(unknowns) if routed else None,
            on_visit=on_visit,
        )
        alike = packets_like(each.space, packet)
        for outcome in traversal.follow(_way(family, packet), alike):
            if outcome.decision is not None:
                yield outcome.decision.span
                if _is_unfollowed(outcome):
                    yield _whole(outcome.decision.span.source)
        yield from (rule.statement.span for rule in taking)


def _is_unfollowed(outcome: Outcome) -> bool:
    rule = outcome.decision.rule if outcome.decision else None
    return outcome.kind is VerdictKind.UNKNOWN and bool(rule and rule.verdict.chain)


def _whole(source: SourceFile) -> Span:
    return Span(source, 0, len(source.text))


def _hook(packet: Packet) -> Hook:
    return Hook(packet.hook) if packet.hook else Hook.INPUT


def _way(family: Family, packet: Packet) -> Sequence[Hook]:
    """The hooks that the packet comes to, up to the one that is said of it; it is shown as it sets
    out."""
    hook = _hook(packet)
    ways, leading = WAYS[family], hook
    if hook is Hook.POSTROUTING:
        leading = Hook.OUTPUT if packet.iif is None else Hook.FORWARD
    way = ways.get(leading) or next((way for way in ways.values() if hook in way), (hook,))
    return way if leading in ways else way[: way.index(hook) + 1]
