"""What a DNAT rule sends to another machine is dropped in FORWARD, or of REDIRECT in INPUT.

## What it does
Gives the packets that a DNAT rule takes their new destination, and asks what FORWARD does with
them, in all its tables: if every one of a new connection is dropped or rejected, whatever way it
leaves by, the rule is reported. The same with INPUT for what REDIRECT sends to a port of the host.
A rule that translates nothing, because tracking is turned off for all of its packets, is reported
too.

## Why it matters
The port looks forwarded, and nobody gets through. DNAT changes where a packet goes, it does not
permit anything: the packet still has to be accepted in FORWARD, with its new address and port.
Nor does it see packets that NOTRACK was for: they are not translated.

## Example
```
*nat
-A PREROUTING -i eth0 -p tcp --dport 8080 -j DNAT --to-destination 192.168.1.10:80
COMMIT
*filter
:FORWARD DROP [0:0]
-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
COMMIT
```

## Fix
`-A FORWARD -d 192.168.1.10 -p tcp --dport 80 -j ACCEPT`, or for all that is translated
`-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT`; in nft `ct status dnat accept`.

## When it is wrong
Where the new destination is an address of the host itself, so that the packet comes to INPUT:
the finding is then only possible, and none is made where the ruleset shows whose address it is, or
`--host-addresses` says so. Rules that software writes are not looked at. Where a rule would accept
the packets if no earlier one took them, IPT101 tells of that; where it names the port they had
before, IPT803.

## References
- iptables-extensions(8), DNAT and conntrack: https://man7.org/linux/man-pages/man8/iptables-extensions.8.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from typing import TYPE_CHECKING

from iptlint.analysis.default_verdict import outside
from iptlint.analysis.hook_verdicts import may_pass
from iptlint.analysis.nat import DestinationNat, destination_nats, to
from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import later_copies, shadowed_rules
from iptlint.analysis.shares import Share, shares
from iptlint.analysis.untracked import untracked_before
from iptlint.findings import Cause, Confidence, Finding, Label, Severity, phrases, suggestions
from iptlint.findings.per_family import for_each_family
from iptlint.memo import memo
from iptlint.model import Field, Hook, Rule, VerdictKind, Within
from iptlint.model.host_addresses import IPAddress
from iptlint.model.ownership import writer_of
from iptlint.model.protocols import PORT_PROTOCOLS, PROTOCOL_NAMES
from iptlint.model.syntax import Suggestion
from iptlint.packets.bdd import union
from iptlint.packets.describe.lists import few
from iptlint.packets.witness import witness
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet

Loss = tuple[DestinationNat, "PacketSet"]
"""A translation, and its packets, none of which gets there."""

META = Meta(
    code="IPT802",
    name="dnat-not-forwarded",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.NAT,
    since="0.1.0",
    yields_to=("IPT101", "IPT803"),
)

_ANY_TRANSLATED = Suggestion("-m conntrack --ctstate DNAT -j ACCEPT", "ct status dnat accept")


def check(context: Context) -> Iterator[Finding]:
    return for_each_family(context, _check_family)


def _check_family(hooks: Hooks) -> Iterator[Finding]:
    unseen = _unseen(hooks)
    for hook in (Hook.FORWARD, Hook.INPUT):
        if hooks.deciding_chain(hook) is None:
            continue
        losses = [loss for loss in _lost(hooks, hook) if loss[0] not in unseen]
        everything = union([lost for _, lost in losses], hooks.space.false)
        who = shares(hooks, hook, everything) if losses else []
        for several in _by_statement(losses):
            _, lost = several[0]
            share = next((d for d in who if (d.packets & lost).satisfiable()), None)
            if share is not None:
                yield _finding(hooks, hook, several, share)
    yield from _without_connection(unseen)


def _unseen(hooks: Hooks) -> dict[DestinationNat, tuple[Share, ...]]:
    """The translations that no packet comes to, and what turns tracking off for all of theirs."""
    before: dict[DestinationNat, tuple[Share, ...]] = {}
    for translation in destination_nats(hooks):
        if not _is_looked_at(translation):
            continue
        hook = Hook.INPUT if translation.stays else Hook.FORWARD
        packets = translation.setting_out(hooks, hook)
        if causes := untracked_before(hooks, hook, packets, translation.rule):
            before[translation] = causes
    return before


def _without_connection(unseen: dict[DestinationNat, tuple[Share, ...]]) -> Iterator[Finding]:
    reported: set[int] = set()
    for translation, causes in unseen.items():
        span = translation.rule.statement.span
        if span.start in reported:
            continue  # another part of one map
        reported.add(span.start)
        rules = [share.rule for share in causes if share.rule is not None]
        yield META.finding(
            span,
            f"this rule translates nothing: {phrases.lines(rules)} turn"
            f"{'s' * (len({phrases.line(rule) for rule in rules}) == 1)} connection tracking off"
            " for all of its packets, and what is not tracked is not translated",
            "leave these packets tracked, or take this rule away",
            related=tuple(
                Label(rule.statement.span, "turns tracking off for them")
                for rule in rules[: phrases.MAX_LABELS]
            ),
        )


def _by_statement(losses: list[Loss]) -> Iterable[list[Loss]]:
    """A map sends packets to several machines: that is one cause."""
    statements: dict[int, list[Loss]] = {}
    for loss in losses:
        translation, _ = loss
        statements.setdefault(translation.rule.statement.span.start, []).append(loss)
    return statements.values()


def _lost(hooks: Hooks, hook: Hook) -> Iterator[Loss]:
    """The translations that lead to the hook and none of whose packets pass it, with these."""
    for translation in destination_nats(hooks):
        if translation.stays is (hook is Hook.INPUT) and _concerned(hooks, translation):
            lost = translation.arriving(hooks, hook) & outside(hooks.space)
            if lost.satisfiable() and not may_pass(hooks, hook, lost).satisfiable():
                yield translation, lost


def _accepting_in_vain(hooks: Hooks, hook: Hook, lost: PacketSet) -> Iterator[Rule]:
    """The rules that would accept the packets if earlier ones left them any."""
    for base_chain in hooks.base_chains(hook):
        analysis = base_chain.analysis
        for dead in shadowed_rules(analysis):
            accepts = dead.differs and dead.rule.verdict.kind is VerdictKind.ACCEPT
            called = accepts and hook in analysis.calls.hooks_of(dead.chain.name)
            if called and (analysis.intended(dead.rule) & lost).satisfiable():
                yield dead.rule


def _is_looked_at(translation: DestinationNat) -> bool:
    analysis, rule = translation.analysis, translation.rule
    if translation.is_dead or rule in later_copies(analysis):
        return False
    return writer_of(analysis.table, translation.chain, rule) is None


def _concerned(hooks: Hooks, translation: DestinationNat) -> bool:
    rule = translation.rule
    if not _is_looked_at(translation):
        return False
    if translation.stays:  # DNAT to a port alone leaves the packets of others to them
        return translation.port is not None and rule.verdict.name.upper() == "REDIRECT"
    return translation.address is None or not _is_own(hooks, translation.address)


def _is_own(hooks: Hooks, address: IPAddress) -> bool:
    return hooks.addresses.has(ip_network(address)) or int(address) in _own_addresses(hooks)


@memo
def _own_addresses(hooks: Hooks) -> frozenset[int]:
    """Those that the ruleset shows to be the host's: it translates to them as a source, or asks for
    them where packets come to the host."""
    family = hooks.family
    own = {
        effect.value
        for rule in hooks.examples()
        for effect in rule.effects
        if effect.field is family.saddr and effect.value is not None
    }
    for analysis in hooks.firewall.analyses():
        for chain, rule in analysis.table.rules():
            if Hook.INPUT in analysis.calls.hooks_of(chain.name):
                own |= _single(rule.matches, family.daddr)
            if Hook.OUTPUT in analysis.calls.hooks_of(chain.name):
                own |= _single(rule.matches, family.saddr)
    return frozenset(own)


def _single(matches: tuple[object, ...], field: Field) -> set[int]:
    return {
        low
        for match in matches
        if isinstance(match, Within) and match.field is field and not match.negated
        for low, high in match.ranges
        if low == high
    }


def _finding(hooks: Hooks, hook: Hook, losses: list[Loss], share: Share) -> Finding:
    (translation, lost), *others = losses
    stays = hook is Hook.INPUT
    target = f"port {translation.port} of this host" if stays else to(translation)
    if others and not stays:
        target = few([to(each) for each, _ in losses], 4)
    name = share.base(hook).name
    home = may_pass(hooks, Hook.INPUT, translation.arriving(hooks, Hook.INPUT))
    maybe = not stays and not hooks.addresses.complete and home.satisfiable()
    unless = f", unless {translation.address or 'that'} is this host itself" if maybe else ""
    return META.finding(
        translation.rule.statement.span,
        f"packets that this rule sends to {target} never get there: in {name}, {share.first}"
        f" them{unless}",
        suggestions.first(share, name, _ANY_TRANSLATED if others else _remedy(translation)),
        related=(Label(share.span, f"{share.does} them"),),
        witness=witness(hooks.space, share.packets & lost, hook),
        confidence=Confidence.POSSIBLE if maybe else None,
        likeness=f"{share.span.start}",
        causes=(
            Cause(hooks.ruleset, hooks.family, part=translation.rule),
            *(Cause(hooks.ruleset, part=rule) for rule in _accepting_in_vain(hooks, hook, lost)),
        ),
    )


def _remedy(translation: DestinationNat) -> Suggestion:
    """What accepts these packets and no others."""
    protocol = _protocol(translation)
    address, port = translation.address, translation.port
    if port is None and len(translation.ports) == 1:
        (port,) = translation.ports
    if translation.stays and protocol is not None:
        test = f"{protocol} -m {protocol} --dport {port}"
        return Suggestion(f"-p {test} -j ACCEPT", f"{protocol} dport {port} accept")
    if address is None or port is None or protocol is None:
        return _ANY_TRANSLATED
    ip = "ip6" if address.version == 6 else "ip"
    return Suggestion(
        f"-d {address} -p {protocol} -m {protocol} --dport {port} -j ACCEPT",
        f"{ip} daddr {address} {protocol} dport {port} accept",
    )


def _protocol(translation: DestinationNat) -> str | None:
    """The one that the rule names, if it has ports."""
    for match in translation.rule.matches:
        if isinstance(match, Within) and match.field is Field.PROTO and not match.negated:
            low, high = match.ranges[0]
            return PROTOCOL_NAMES.get(low) if low == high in PORT_PROTOCOLS else None
    return None
