"""A rule tests the port that packets had before they were translated, and never sees them.

## What it does
Reports a rule of FORWARD, or of a chain that only FORWARD calls (`DOCKER-USER`), that names a
port which a DNAT rule translates to another one: but for the port it would match the translated
packets, and as it is it matches none of any translation. An accept (or return) is reported if
the packets are dropped for it, a drop if they pass. The same for INPUT and REDIRECT.

## Why it matters
Translation comes first: PREROUTING, then FORWARD. A container that is published as 8080 on its
port 80 is not closed by a rule for 8080; a forwarded port is not opened by one.

## Example
```
*nat
-A PREROUTING -i eth0 -p tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
COMMIT
*filter
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A DOCKER-USER -i eth0 -p tcp --dport 8080 -j DROP
COMMIT
```

## Fix
Test the port it has by then (80), or the one it came with:
`-A DOCKER-USER -i eth0 -p tcp -m conntrack --ctorigdstport 8080 -j DROP`; in nft
`meta l4proto tcp ct original proto-dst 8080`.

## When it is wrong
Where the rule is for other packets, which are routed to that port and not translated. A drop that
names neither an interface nor a destination is therefore only a possible finding. So is one in
FORWARD about a port that INPUT opens too: the address may be this host's (`--host-addresses`).

## References
- iptables-extensions(8), conntrack: https://man7.org/linux/man-pages/man8/iptables-extensions.8.html
- Docker, packet filtering and firewalls:
  https://docs.docker.com/engine/network/packet-filtering-firewalls/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.delivery import delivery
from iptlint.analysis.nat import is_port_test, named_ports
from iptlint.analysis.pre_nat_ports import Mistake, mistaken
from iptlint.analysis.session import Context
from iptlint.findings import Cause, Confidence, Finding, Label, Severity, phrases
from iptlint.findings.fix import Change, Fix
from iptlint.findings.per_family import for_each_family
from iptlint.model import Field, Hook, Interface, Match, Rule, VerdictKind, Within
from iptlint.model.syntax import Syntax
from iptlint.packets.bdd import union
from iptlint.packets.describe.lists import listed
from iptlint.packets.packet import Packet
from iptlint.packets.witness import witness
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks

META = Meta(
    code="IPT803",
    name="pre-nat-port",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.NAT,
    since="0.1.0",
    fixable=True,
)

_FATE = {
    VerdictKind.ACCEPT: ("accept", "they are dropped"),
    VerdictKind.RETURN: ("let through", "they are dropped"),
    VerdictKind.DROP: ("drop", "they pass"),
    VerdictKind.REJECT: ("reject", "they pass"),
}


def check(context: Context) -> Iterator[Finding]:
    return for_each_family(context, _check_family)


def _check_family(hooks: Hooks) -> Iterator[Finding]:
    for mistake in mistaken(hooks):
        yield _finding(hooks, mistake)


def _finding(hooks: Hooks, mistake: Mistake) -> Finding:
    rule, translations = mistake.rule, mistake.translations
    before, after = _listed(named_ports(rule)), _listed({t.port for t in translations if t.port})
    verb, fate = _FATE[rule.verdict.kind]
    translating = list(dict.fromkeys(t.rule for t in translations))
    return META.finding(
        rule.origin.span,
        f"this rule does not {verb} what {phrases.lines(translating)} translate"
        f"{'s' * (len({phrases.line(r) for r in translating}) == 1)}: it tests for port {before},"
        f" and here these packets have port {after} already, so {fate}",
        _advice(hooks, mistake, after),
        related=tuple(
            Label(each.statement.span, f"sends them to {to}")
            for each, to in zip(translating, _targets(mistake), strict=False)
        ),
        witness=_witness(hooks, mistake),
        confidence=Confidence.POSSIBLE
        if _may_come_here(hooks, mistake) or not _is_for_them(hooks, rule)
        else None,
        causes=tuple(Cause(hooks.ruleset, hooks.family, part=each) for each in translating),
        fix=_fix(hooks, mistake, after),
    )


def _witness(hooks: Hooks, mistake: Mistake) -> Packet | None:
    """A packet as it comes, before it is translated, that the rule is meant for."""
    coming = [translation.setting_out(hooks, mistake.hook) for translation in mistake.translations]
    way = delivery(hooks, mistake.hook, union(coming, hooks.space.false))
    missed = way.through if mistake.rule.verdict.kind.denies else way.lost
    return witness(hooks.space, missed, mistake.hook)


def _targets(mistake: Mistake) -> list[str]:
    targets = {t.rule: f"port {t.port}" for t in mistake.translations}
    return list(targets.values())[: phrases.MAX_LABELS]


def _listed(ports: set[int] | frozenset[int]) -> str:
    return listed([str(port) for port in sorted(ports)])


def _may_come_here(hooks: Hooks, mistake: Mistake) -> bool:
    """Whether what is to be forwarded may be translated to an address of this host, which opens
    the port itself."""
    ports = {translation.port for translation in mistake.translations}
    return mistake.hook is Hook.FORWARD and any(
        rule.verdict.kind is VerdictKind.ACCEPT and not ports.isdisjoint(named_ports(rule))
        for analysis in hooks.firewall.analyses()
        for chain, rule in analysis.table.rules()
        if Hook.INPUT in analysis.calls.hooks_of(chain.name)
    )


def _is_for_them(hooks: Hooks, rule: Rule) -> bool:
    """Whether the packets are the likely ones: an accept lacks them, and a drop names where they
    come in or go to."""
    if not rule.verdict.kind.denies:
        return True
    interfaces = {m.field for m in rule.matches if isinstance(m, Interface)}
    return Field.IIF in interfaces or any(
        getattr(match, "field", None) is hooks.family.daddr for match in rule.matches
    )


def _advice(hooks: Hooks, mistake: Mistake, after: str) -> str:
    """The rule as it is written, with the port that the packets have, or had."""
    rule, ports = mistake.rule, named_ports(mistake.rule)
    index = next(n for n, match in enumerate(rule.matches) if is_port_test(match))
    mended = _mended(rule, index, *ports, after=after, syntax=mistake.analysis.syntax)
    if mended is None:
        return f"test for port {after}, or for the port that the packets came with"
    return f"write {mended}"


def _fix(hooks: Hooks, mistake: Mistake, after: str) -> Fix | None:
    """A rule for what is translated to that port, and for nothing that comes to it by itself. What
    denies by the port that packets came with has no such twin: `ct original proto-dst` is not tied
    to the translation by what follows packets here, so nothing could be proved."""
    rule, ports = mistake.rule, named_ports(mistake.rule)
    if rule.verdict.kind.denies or len(ports) > 1 or not after.isdigit():
        return None
    index = next(n for n, match in enumerate(rule.matches) if is_port_test(match))
    (port,) = ports
    syntax = mistake.analysis.syntax
    text = syntax.with_translated_port(rule, index, port, after)
    edit = None if text is None else syntax.put_above(rule, text)
    if edit is None:
        return None
    change = Change(VerdictKind.ACCEPT, (Hook.INPUT, Hook.FORWARD), _meant(rule, port, int(after)))
    otherwise = f"{_advice(hooks, mistake, after)}, to accept too what comes to it by itself"
    return Fix(f"add before it: {text}", (edit,), False, (change,), otherwise=otherwise)


def _meant(rule: Rule, before: int, after: int) -> tuple[tuple[Match, ...], ...]:
    """What comes with the port that is translated, and what somebody has translated already."""
    protocol = [m for m in rule.matches if isinstance(m, Within) and m.field is Field.PROTO]
    came, has = (Within(Field.DPORT, ((port, port),)) for port in (before, after))
    return (*protocol, came), (*protocol, has, Within(Field.CT_DNAT, ((1, 1),)))


def _mended(rule: Rule, part: int, *ports: int, after: str, syntax: Syntax) -> str | None:
    if len(ports) > 1:
        return None
    if not rule.verdict.kind.denies and after.isdigit():
        return syntax.with_port(rule, part, ports[0], after)
    return syntax.with_original_port(rule, part, ports[0])
