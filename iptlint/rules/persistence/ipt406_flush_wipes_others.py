"""`flush ruleset` deletes the tables of other software too.

## What it does
Reports a file of nft with `flush ruleset` where docker, kube-proxy, fail2ban, libvirt,
firewalld or their like have tables: in another file of the run (a dump of the host) or, those of
firewalld and other managers, as a saved copy behind the flush itself. As possible where rules of
the file name an interface that such software makes (`docker0`, `virbr0`), and none translates.

## Why it matters
`flush ruleset` empties everything, whoever made it. After a reload published ports of
containers do not answer, virtual machines have no network, bans are gone; each program
notices only when it is started again.

## Example
```
flush ruleset
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
    }
}
table inet firewalld {
    chain filter_INPUT {
        type filter hook input priority filter + 10; policy accept;
        ct state established,related accept
        reject with icmpx admin-prohibited
    }
}
```

## Fix
Replace only what is yours: for each table of the file `add table inet filter; delete table
inet filter`, or `destroy table inet filter` (nft 1.0.7, Linux 6.3), in the place of the flush.

## When it is wrong
Where the file is loaded only at boot, before the others start. The rules of iptables count
where iptables-save says that they are in nf_tables; those of iptables-legacy stay.

## References
- nft(8), "RULESET": https://www.netfilter.org/projects/nftables/manpage.html
- Docker with nftables: https://docs.docker.com/engine/network/firewall-nftables/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from iptlint.analysis.external_interfaces import gives_source
from iptlint.analysis.includes import loaded_alone
from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.findings.phrases import MAX_LABELS
from iptlint.model import Ruleset, Table
from iptlint.model.kinds import examples_testing, rules_where
from iptlint.model.owners import Owner, owner_of_interface, owner_of_name, owner_of_table
from iptlint.model.ownership import interface_names
from iptlint.packets.describe.lists import listed
from iptlint.rules.meta import Group, Meta
from iptlint.source import Origin, Span

META = Meta(
    code="IPT406",
    name="flush-wipes-others",
    severity=Severity.INFO,
    confidence=Confidence.CERTAIN,
    group=Group.PERSISTENCE,
    since="0.1.0",
    about_files=True,
    leaves_to={
        "IPT404": "one finding is for all tables of others, the copies left out",
    },
)

_SHOWN = 3


class Loss(NamedTuple):
    """A table of another's; ``certain`` where it is known to be one of nf_tables."""

    owner: Owner
    table: Table
    place: Span
    certain: bool
    elsewhere: bool


def check(context: Context) -> Iterator[Finding]:
    for ruleset in loaded_alone(context):
        if ruleset.flush is None:
            continue
        family = ruleset.syntax.flushed_family(ruleset.flush)
        losses = [
            loss for loss in _losses(context, ruleset) if family in (None, loss.table.family.value)
        ]
        if losses and any(owner_of_table(table.name) is None for table in ruleset.tables):
            yield _finding(ruleset, ruleset.flush, losses)
        elif not losses and family is None and (named := _named(ruleset)):
            yield _for_interfaces(ruleset, ruleset.flush, named)


def _named(ruleset: Ruleset) -> dict[str, tuple[str, Span]]:
    """By the software that makes them, the first interface that a rule names: it has rules of its
    own for it. Not where the text translates itself, as for docker that is to leave that alone."""
    named: dict[str, tuple[str, Span]] = {}
    for table in ruleset.tables:
        if owner_of_table(table.name) is not None or any(rules_where(table, gives_source)):
            return {}
        for rule in examples_testing(table):
            for name in interface_names(rule):
                owner = owner_of_interface(name)
                if owner is not None and owner.transient:
                    named.setdefault(owner.name, (name, rule.statement.span))
    return named


def _for_interfaces(ruleset: Ruleset, flush: Origin, named: dict[str, tuple[str, Span]]) -> Finding:
    interfaces = listed([name for name, _ in named.values()])
    return META.finding(
        flush.span,
        f"this deletes everything, also what {listed([*named])} made for {interfaces}, if it runs:"
        f" it is missing until {'they are' if len(named) > 1 else 'that is'} started again",
        f"replace only your own tables: {_own(ruleset)}",
        related=tuple(
            Label(place, f"an interface that {owner} makes")
            for owner, (_, place) in [*named.items()][:MAX_LABELS]
        ),
        confidence=Confidence.POSSIBLE,
    )


def _losses(context: Context, ruleset: Ruleset) -> Iterator[Loss]:
    for other in context.rulesets:
        certain = other.syntax.is_of_nf_tables(other.source)
        if certain is False:
            continue
        for table in other.tables:
            owner = _owner(table, saved=other is ruleset)
            if owner is not None and table.origin is not None:
                place = table.origin.span
                yield Loss(owner, table, place, certain is True, other is not ruleset)


def _owner(table: Table, *, saved: bool) -> Owner | None:
    """Whose table it is, or who has chains in it. Of copies that go stale IPT404 tells."""
    owner = owner_of_table(table.name)
    if saved:
        return None if owner is None or owner.transient else owner
    if owner is not None:
        return owner
    owners = ((name, owner_of_name(name)) for name in table.chains)
    return next((o for name, o in owners if o is not None and o.generates(name)), None)


def _finding(ruleset: Ruleset, flush: Origin, losses: list[Loss]) -> Finding:
    owners = list(dict.fromkeys(loss.owner.name for loss in losses))
    more = len(owners) - _SHOWN
    whose = listed(owners if more <= 0 else [*owners[:_SHOWN], f"{more} more"])
    made = ", of which this file has an old copy" if not losses[0].elsewhere else ""
    return META.finding(
        flush.span,
        f"this deletes everything, also what {whose} made{made}: it is missing until"
        f" {'they are' if len(owners) > 1 else 'that is'} started again",
        f"replace only your own tables: {_own(ruleset)}",
        related=tuple(_labels(losses)),
        confidence=None if any(loss.certain for loss in losses) else Confidence.POSSIBLE,
    )


def _own(ruleset: Ruleset) -> str:
    """Lines that empty the user's tables in the place of the flush."""
    own = [table for table in ruleset.tables if owner_of_table(table.name) is None]
    names = [f"{table.family.value} {table.name}" for table in own] or ["inet filter"]
    return "; ".join(f"add table {name}; delete table {name}" for name in names)


def _labels(losses: list[Loss]) -> Iterator[Label]:
    by_owner = {loss.owner.name: loss for loss in reversed(losses)}
    for loss in sorted(by_owner.values(), key=lambda loss: loss.place.start)[:MAX_LABELS]:
        yield Label(loss.place, f"{loss.owner.name}'s")
