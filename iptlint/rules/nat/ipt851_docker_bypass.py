"""Docker or podman lets the world into a port that INPUT denies.

## What it does
Sends connections from public addresses to the ports that docker or podman has published,
through the translation and all of FORWARD. Reports those that come through for certain although
INPUT denies the same port by default: all of one software's as one finding, at the first rule that
publishes one.

## Why it matters
ufw and most firewalls of one's own decide in INPUT. A published port never gets there: docker
translates the packet first, it is forwarded to the container, and docker accepts it in FORWARD.
Podman does the same.
`ufw deny 5432` denies nothing then, and a database that was to be reached by its neighbours is
on the internet.

## Example
```
*nat
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 5432 -j DNAT --to-destination 172.17.0.2:5432
COMMIT
*filter
:INPUT DROP [0:0]
-A FORWARD -o docker0 -j DOCKER
-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 5432 -j ACCEPT
COMMIT
```

## Fix
Publish the port on the host only: `docker run -p 127.0.0.1:5432:5432`. Or deny it where docker
leaves room for your rules, by the port it comes with:
`-I DOCKER-USER -i eth0 -p tcp -m conntrack --ctorigdstport 5432 -j DROP`; beside podman in FORWARD.

## When it is wrong
Where the port is meant to be public: then say so in INPUT too, or suppress the finding. Where
another firewall stands before the host. A port that is published on 127.0.0.1 or another private
address, or that a rule of `DOCKER-USER` or the raw table denies, is not reported, nor is one for
which IPT803 or IPT853 shows that such a rule misses it. Where the rule names an interface, and
others show that the world comes in by another one (`MASQUERADE` with `-o`, an accept from public
addresses), the finding is only possible.

## References
- Docker, packet filtering and firewalls:
  https://docs.docker.com/engine/network/packet-filtering-firewalls/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.default_verdict import dropped_by_default, probes, public_hosts
from iptlint.analysis.evidence import decided_by
from iptlint.analysis.exposure import outward
from iptlint.analysis.external_interfaces import uplink_names, visited_names
from iptlint.analysis.hook_verdicts import may_pass
from iptlint.analysis.nat import (
    DestinationNat,
    destination_nats,
    to,
    uplink,
)
from iptlint.analysis.pre_nat_ports import mistaken
from iptlint.analysis.published_ports import (
    Alike,
    SentOn,
    bridges_of,
    interfaces_coming,
    interfaces_through,
    may_be_through,
    sent_on,
)
from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import behind_return
from iptlint.analysis.shares import Share, shares
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.findings.per_family import for_each_family
from iptlint.memo import memo
from iptlint.model import Field, Hook, Rule
from iptlint.model.addresses import LOCALHOST
from iptlint.model.owners import owner_of_interface
from iptlint.model.ownership import DOCKER_USER, writer_of
from iptlint.model.protocols import PROTOCOL_NAMES, TCP, UDP
from iptlint.packets.bdd import union
from iptlint.packets.describe.lists import few, listed
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT851",
    name="docker-bypass",
    severity=Severity.ERROR,
    confidence=Confidence.CERTAIN,
    group=Group.NAT,
    since="0.1.0",
    leaves_to=dict.fromkeys(
        ("IPT803", "IPT853"),
        "one finding is for all ports, those that are reported left out",
    ),
)

_DOCKER = "docker"
_PUBLISHERS = (_DOCKER, "podman")
_PROTOCOLS = (TCP, UDP)
_SHOWN = 4
_SWARM = "DOCKER-INGRESS"
"""Of services, which docker publishes on every address of every node, or on none."""

_SINGULAR, _PLURAL = ("port", "is", "it"), ("ports", "are", "them")
_ASKED = 3
"""How many strangers are asked for: what holds for so many, unlike each other, holds for most."""


class _Published(NamedTuple):
    """A port that comes through to a container. ``side``: the interfaces that are asked about;
    ``denied``: the caller's packets that INPUT would deny. ``by``: the one interface by which they
    are known to come through, where some rule denies them by another."""

    sent: SentOn
    protocol: int
    side: PacketSet
    denied: PacketSet
    by: str = ""

    @property
    def translation(self) -> DestinationNat:
        return self.sent.translation

    @property
    def port(self) -> int:
        return self.sent.port

    @property
    def packets(self) -> PacketSet:
        """A caller's that come through, as they come."""
        return self.sent.packets & self.side

    def through(self, hooks: Hooks) -> PacketSet:
        """The same, as they come to FORWARD."""
        return self.sent.through(hooks, 0) & self.side

    def closed(self, hooks: Hooks) -> PacketSet:
        """The same, where INPUT would deny them."""
        side = self.side if self.by else outward(hooks)
        return self.denied & hooks.space.value(Field.DPORT, self.port) & side

    @property
    def name(self) -> str:
        return f"{self.port}/{PROTOCOL_NAMES[self.protocol]}"


def check(context: Context) -> Iterator[Finding]:
    return for_each_family(context, _check_family)


def _check_family(hooks: Hooks) -> Iterator[Finding]:
    by_publisher: dict[str, list[DestinationNat]] = defaultdict(list)
    for translation in destination_nats(hooks):
        if translation.moves and not translation.is_dead:
            by_publisher[_publisher(translation)].append(translation)
    for publisher in _PUBLISHERS:
        if publisher in by_publisher:
            yield from _of_publisher(hooks, publisher, by_publisher[publisher])


def _of_publisher(
    hooks: Hooks, publisher: str, published: Sequence[DestinationNat]
) -> Iterator[Finding]:
    if not (dropped_by_default(hooks, Hook.INPUT) & outward(hooks)).satisfiable():
        return
    published_ports = [p for protocol in _PROTOCOLS for p in _let_in(hooks, protocol, published)]
    for by in dict.fromkeys(p.by for p in published_ports):
        yield _finding(hooks, publisher, [p for p in published_ports if p.by == by])


def _publisher(translation: DestinationNat) -> str:
    """The software that wrote the rule."""
    analysis, rule = translation.analysis, translation.rule
    owner = writer_of(analysis.table, analysis.place(rule).chain, rule)
    return owner.name if owner else ""


def _let_in(
    hooks: Hooks, protocol: int, published: Sequence[DestinationNat]
) -> Iterator[_Published]:
    space = hooks.space
    strangers = [space.value(Field.PROTO, protocol) & each for each in _strangers(hooks, protocol)]
    sides, facing = _sides(hooks, published), outward(hooks)
    concerned = [
        t for t in published if (t.analysis.tests(t.rule).may & strangers[0]).satisfiable()
    ]
    ports = sorted({port for translation in concerned for port in translation.ports})
    to_ports = space.ranges(Field.DPORT, tuple((port, port) for port in ports))
    callers = [stranger & to_ports for stranger in strangers] if ports else []
    denied = _Denied(hooks, [_denied(hooks, caller) for caller in callers])
    for sent in sent_on(hooks, concerned, callers) if ports else ():
        if _is_anothers(hooks, sent, range(len(callers))):
            continue
        if _gets_through(hooks, sides, sent.alike) and denied.on(facing, sent.port):
            yield _Published(sent, protocol, space.true, denied.callers[0])
            continue
        for name, side in _visited(hooks).items() if _comes(hooks, sides, sent.alike) else ():
            if _gets_through(hooks, side, sent.alike) and denied.on(side, sent.port):
                yield _Published(sent, protocol, side, denied.callers[0], name)
                break


class _Denied:
    """What INPUT lets nothing of through, of each caller."""

    def __init__(self, hooks: Hooks, callers: Sequence[PacketSet]) -> None:
        self.callers = callers
        self._space = hooks.space
        self._ports: dict[PacketSet, PacketSet] = {}

    def on(self, sides: PacketSet, port: int) -> bool:
        """Whether packets of all callers to the port are among it, whatever side they come from."""
        if sides not in self._ports:
            self._ports[sides] = self._denied_on(sides)
        return (self._ports[sides] & self._space.value(Field.DPORT, port)).satisfiable()

    def _denied_on(self, sides: PacketSet) -> PacketSet:
        space, on = self._space, self._space.true
        for denied in self.callers:
            by_port = space.project(denied, Field.IIF, Field.DPORT)
            on = on & ~space.project(space.project(sides, Field.IIF) & ~by_port, Field.DPORT)
        return on


@memo
def _visited(hooks: Hooks) -> dict[str, PacketSet]:
    """The interfaces by which the world is known to come in, with the packets that do: packets
    leave by them with the host's address, or else rules let in by them whom the world has."""
    names = sorted(uplink_names(hooks) or visited_names(hooks))
    return {name: hooks.space.interface(Field.IIF, name) for name in names}


def _is_anothers(hooks: Hooks, sent: SentOn, callers: Iterable[int]) -> bool:
    """Whether a rule that is to deny the packets does not, of which IPT803 or IPT853 tells."""
    mistakes = (
        mistake.missed
        for mistake in mistaken(hooks)
        if mistake.hook is Hook.FORWARD and mistake.rule.verdict.kind.denies
        if any(each.rule is sent.translation.rule for each in mistake.translations)
    )
    return any(
        all(
            may_be_through(hooks, sent.alike, caller, meant)
            and (sent.through(hooks, caller) & meant).satisfiable()
            for caller in callers
        )
        for meant in chain(mistakes, _behind_return(hooks))
    )


@memo
def _behind_return(hooks: Hooks) -> tuple[PacketSet, ...]:
    """What the rules that deny, and that the RETURN of DOCKER-USER leaves nothing to, are for."""
    return tuple(
        base_chain.analysis.tests(rule).may
        for base_chain in hooks.base_chains(Hook.FORWARD)
        for user in base_chain.analysis.table.chains.values()
        for rule in behind_return(user)
        if rule.verdict.kind.denies
    )


def _strangers(hooks: Hooks, protocol: int) -> list[PacketSet]:
    """New packets of the protocol to this host, a set for each of a few public addresses."""
    daddr = hooks.family.daddr
    flags, free = ("syn",) * (protocol == TCP), (Field.IIF, Field.OIF, Field.DPORT, daddr)
    everyone = probes(hooks, Hook.INPUT, "new", *flags, free=free, values={Field.PROTO: protocol})
    meant = public_hosts(hooks, daddr) & ~hooks.space.interface(Field.IIF, "lo")
    return [each & meant for each in islice(everyone, _ASKED)]


def _denied(hooks: Hooks, caller: PacketSet) -> PacketSet:
    """Those of the packets that INPUT lets nothing of through."""
    coming = caller & hooks.hook_packets(Hook.INPUT)
    return coming & ~may_pass(hooks, Hook.INPUT, coming)


def _sides(hooks: Hooks, published: Sequence[DestinationNat]) -> PacketSet:
    """The packets on every interface but docker's own and others that software makes: a rule that
    denies by name names the one of the world."""
    space = hooks.space
    bridges = {name for translation in published for name in bridges_of(translation)}
    outer = [
        space.value(Field.IIF, number)
        for number, cls in enumerate(space.interfaces.classes, start=1)
        if cls.name != "lo" and cls.name not in bridges and owner_of_interface(cls.name) is None
    ]
    return union(outer, space.false)


@memo
def _comes(hooks: Hooks, sides: PacketSet, alike: Alike) -> bool:
    """Whether packets of all callers come to the rule, whatever side they come from."""
    return _on_all(sides, interfaces_coming(hooks, alike))


@memo
def _gets_through(hooks: Hooks, sides: PacketSet, alike: Alike) -> bool:
    """Whether packets of all callers are accepted once they are sent on."""
    return _on_all(sides, interfaces_through(hooks, alike))


def _on_all(sides: PacketSet, interfaces: Iterable[PacketSet]) -> bool:
    return not any((sides & ~each).satisfiable() for each in interfaces)


def _finding(hooks: Hooks, publisher: str, published: Sequence[_Published]) -> Finding:
    first = published[0]
    denier = shares(hooks, Hook.INPUT, first.closed(hooks))[0]
    accepter = next(iter(shares(hooks, Hook.FORWARD, first.through(hooks))), None)
    rules = list(dict.fromkeys(p.translation.rule for p in published))
    names = list(dict.fromkeys(p.name for p in published))
    ports, are, them = _PLURAL if len(names) > 1 else _SINGULAR
    accepts = f"{accepter.name} accepts" if accepter else "nothing in FORWARD denies"
    by = f" by {first.by} (what denies {them} in FORWARD is for others)" * bool(first.by)
    return META.finding(
        rules[0].statement.span,
        f"{ports} {_listed(names)} {are} reachable from the world{by} although"
        f" {denier.base(Hook.INPUT).name} denies {them}: {publisher} sends these packets to"
        f" {_where(published)} before INPUT could see them, and {accepts} them",
        _advice(hooks, publisher, first),
        related=_labels(rules, accepter, denier),
        witness=decided_by(hooks, Hook.PREROUTING, first.translation.rule, first.packets),
        severity=Severity.WARNING if first.by else None,
        confidence=Confidence.POSSIBLE if first.by else None,
    )


def _listed(names: Sequence[str]) -> str:
    return listed(names) if len(names) <= _SHOWN + 1 else few(names, _SHOWN)


def _where(ports: Sequence[_Published]) -> str:
    targets = {to(p.translation) for p in ports}
    return targets.pop() if len(targets) == 1 else "containers"


def _labels(rules: Sequence[Rule], accepter: Share | None, denier: Share) -> tuple[Label, ...]:
    labels = [Label(rule.statement.span, "publishes another") for rule in rules[1:_SHOWN]]
    if accepter is not None:
        labels.append(Label(accepter.span, "accepts them on the way to the container"))
    labels.append(Label(denier.span, "would deny them, but never sees them"))
    return tuple(labels)


def _advice(hooks: Hooks, publisher: str, first: _Published) -> str:
    name, protocol, port = first.by or uplink(hooks), PROTOCOL_NAMES[first.protocol], first.port
    localhost = LOCALHOST[hooks.family]
    home = f"[{localhost}]" if localhost.version == 6 else str(localhost)
    rule_of = first.translation.analysis.place(first.translation.rule).chain
    publish = f"publish it as -p {home}:{port}:…, or " * (rule_of != _SWARM)
    named = any(cls.name == name for cls in hooks.space.interfaces.classes)
    publish += f"deny it by the port it comes with{'' if named else f', if {name} faces the world'}"
    rule = f"-i {name} -p {protocol} -m conntrack --ctorigdstport {port} -j DROP"
    tool = "ip6tables" if hooks.family.address_bits > 32 else "iptables"
    by_command = f"{publish}: {tool} -I {DOCKER_USER} {rule}"
    in_chain = (
        f'{publish}, in a forward chain that is asked before {publisher}\'s: iifname "{name}" meta'
        f" l4proto {protocol} ct original proto-dst {port} drop"
    )
    has_room = any(DOCKER_USER in table.chains for table in hooks.tables())
    for_users = publisher == _DOCKER and has_room
    return hooks.ruleset.syntax.pick(
        iptables=f"{publish}: -I {DOCKER_USER if publisher == _DOCKER else 'FORWARD'} {rule}",
        nft=by_command if for_users else in_chain,
    )
