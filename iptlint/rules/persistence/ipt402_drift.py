"""After a reboot other packets get through: the running rules differ from the saved ones.

## What it does
`iptlint live` compares what runs with the files that are loaded at boot, packet by packet, in
whatever languages the two are. It says which packets fare otherwise after a reboot, and because
of which lines. Counters, comments, the order of rules without effect, and what docker,
kube-proxy, fail2ban, libvirt and their like make anew at start play no part.

## Why it matters
Someone changed the running rules and did not save them, or edited the file and did not load it.
The next reboot, at the worst time, undoes a fix or locks someone out.

## Example
`rules.v4` has `-A INPUT -s 203.0.113.0/24 -p tcp --dport 22 -j ACCEPT`, and a colleague deleted
that rule on the host; or the other way round.

## Fix
Where what runs is right, save it: `netfilter-persistent save`, `iptables-save >
/etc/sysconfig/iptables`, or edit /etc/nftables.conf. Where the file is right, load it again:
`systemctl reload nftables`, `netfilter-persistent reload`.

## When it is wrong
Where something changes rules while the host runs and after every boot, under names that nobody
knows. Nothing is said where a manager (ufw, firewalld, NixOS) makes the rules, where two files
are loaded for one family, or where something that runs at boot is not understood. The contents
of ipsets are taken to be what they are now.

## References
- iptables-save(8), nft(8): https://www.netfilter.org/projects/nftables/manpage.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.model import IP_VERSIONS, Family, Hook, Ruleset, VerdictKind
from iptlint.model.edits import without_generated
from iptlint.model.software import decisions
from iptlint.packets.describe import clause, describe
from iptlint.packets.space import Space
from iptlint.packets.witness import witness
from iptlint.rules.meta import Group, Meta
from iptlint.source import Span

if TYPE_CHECKING:
    from iptlint.analysis.divergence import Divergence
    from iptlint.analysis.drift import Deciders
    from iptlint.model.host import Host
    from iptlint.netfilter.packet_group import Decision
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT402",
    name="drift",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.PERSISTENCE,
    since="0.2.0",
    leaves_to={
        "IPT401": "of all changes the first few are shown, those left out not among them",
    },
)

_MOST = 6
_LINES = 6
_VERBS = {
    Hook.INPUT: ("no longer reaches this host", "reaches this host"),
    Hook.FORWARD: ("is no longer passed on", "is passed on"),
    Hook.OUTPUT: ("no longer leaves this host", "leaves this host"),
}


class _Part(NamedTuple):
    """Packets of a change that one line tells of. ``old``, ``new``: who decides them; ``packets``
    are None where a line does not tell all."""

    change: Divergence
    what: str
    packets: PacketSet | None
    old: Decision | None
    new: Decision | None


def check(context: Context) -> Iterator[Finding]:
    host = context.host
    if host is None or host.running is None or host.saved is None or not host.loaders:
        return
    if all(loader.loads_files for loader in host.loaders):
        yield from _compared(host, host.running, host.saved)


def _compared(host: Host, running: Ruleset, saved: Ruleset) -> Iterator[Finding]:
    from iptlint.analysis.diff import difference
    from iptlint.analysis.drift import Deciders, as_written, comparable

    now, then = comparable(running, saved)
    if as_written(now) == as_written(then):
        return
    compared = difference(now, then)
    deciders = Deciders(now, then, compared.space)
    reported = [change for change in compared.changes if _concerns_host(host, change)]
    parts = [part for change in reported for part in _parts(compared.space, deciders, change)]
    for part in parts[:_MOST]:
        yield _finding(host, compared.space, part)


def _concerns_host(host: Host, change: Divergence) -> bool:
    if change.family is Family.IP6 and host.facts.ipv6 is False:
        return False
    if change.hook is Hook.FORWARD and host.facts.forwards(change.family.value) is False:
        return False
    # Of a family whose rules nothing loads, IPT401 tells.
    assert host.saved is not None
    return host.saved.sees(change.family) or not _decides(host, change.family)


def _decides(host: Host, family: Family) -> bool:
    assert host.running is not None
    own = without_generated(host.running)
    return any(family.value in table.family.packets for table, _, _ in decisions(own))


def _parts(space: Space, deciders: Deciders, change: Divergence) -> Iterator[_Part]:
    """One for each two places that decide now and then."""
    from iptlint.analysis.drift import most_telling

    packets, within = most_telling(space, change)
    description = describe(space, packets, _LINES, within)
    if description.more or not description.lines:
        what = clause(space, packets, within)
        yield _Part(change, what, None, change.old.decision, change.new.decision)
        return
    by_places: dict[tuple[Span | None, Span | None], _Part] = {}
    for line, box in zip(description.lines, description.boxes, strict=True):
        in_box = box & packets
        old, new = deciders.of(change, in_box)
        key = _span(old), _span(new)
        known = by_places.get(key)
        if known is not None and known.packets is not None:
            line, in_box = f"{known.what}; or {line}", known.packets | in_box
        by_places[key] = _Part(change, line, in_box, old, new)
    yield from by_places.values()


def _finding(host: Host, space: Space, part: _Part) -> Finding:
    change = part.change
    place = _span(part.old) or _span(part.new) or host.loaders[0].span
    then = _span(part.new)
    perhaps = "" if change.certain else ", perhaps"
    packet = witness(space, part.packets, change.hook) if part.packets else change.witness
    return META.finding(
        place,
        f"after a reboot{perhaps}, {_as_subject(part.what)} (over {IP_VERSIONS[change.family]})"
        f" {_deed(change)}: {_by(part.old, 'now')}, {_by(part.new, 'then')}",
        _advice(host),
        related=(Label(then, "after a reboot"),) if then is not None and then != place else (),
        witness=packet,
        confidence=None if change.certain else Confidence.POSSIBLE,
    )


def _as_subject(what: str) -> str:
    return f"what comes {what}" if what.startswith("from ") else what


def _deed(change: Divergence) -> str:
    was, is_ = (fate.kind.passes for fate in (change.old, change.new))
    lost, gained = _VERBS.get(change.hook, _VERBS[Hook.OUTPUT])
    if was and is_:
        return "is changed in another way on its way"
    if change.old.kind is change.new.kind:
        return "is answered otherwise"
    if was:
        return lost
    return gained if is_ else f"is {_WORDS.get(change.new.kind, 'decided otherwise')}"


_WORDS = {VerdictKind.DROP: "dropped without a word", VerdictKind.REJECT: "rejected"}


def _by(decision: Decision | None, when: str) -> str:
    if decision is None:
        return f"{when} no chain decides"
    if decision.rule is None:
        return f"{when} the policy of {decision.chain.name}"
    span = decision.rule.statement.span
    return f"{when} line {span.line} of {span.source.path}"


def _span(decision: Decision | None) -> Span | None:
    return None if decision is None else decision.span


def _advice(host: Host) -> str:
    names = {loader.name for loader in host.loaders}
    save = next((command for name, command in _SAVING if name in names), "write it to the file")
    reload = next((command for name, command in _LOADING if name in names), "load the file again")
    return f"if what runs is right, save it: {save}; if the file is: {reload}"


_SAVING = (
    ("netfilter-persistent", "`netfilter-persistent save`"),
    ("iptables.service", "`iptables-save > /etc/sysconfig/iptables`"),
    ("ip6tables.service", "`ip6tables-save > /etc/sysconfig/ip6tables`"),
    ("nftables.service", "edit the file that nftables.service loads"),
)
_LOADING = (
    ("netfilter-persistent", "`netfilter-persistent reload`"),
    ("iptables.service", "`systemctl reload iptables`"),
    ("ip6tables.service", "`systemctl reload ip6tables`"),
    ("nftables.service", "`systemctl reload nftables`"),
)
