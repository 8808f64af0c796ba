"""A saved file holds rules that other software makes anew at start.

## What it does
Reports a rules file with chains of docker, kube-proxy, CNI plugins, fail2ban, libvirt,
tailscale and their like, and how many rules fill those chains or jump to them; in nft also
tables that such a program has for itself. One finding for each such program and file.

## Why it matters
These rules describe one moment: the addresses of containers, pods and banned hosts when
someone ran `iptables-save`. Loaded at boot they forward ports to addresses that belong to
something else by now, or ban people whose ban ended long ago. Loaded later, they wipe what
the program has made since.

## Example
```
*nat
:PREROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A PREROUTING -i eth0 -p tcp -m tcp --dport 25 -j REDIRECT --to-ports 2525
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
COMMIT
```

## Fix
Keep your own rules in the file and leave these to the program that makes them. Take out
its chains, the rules that jump to them, and what it adds beside them (docker: MASQUERADE
for its networks, ACCEPT for its bridges). `iptables-save | grep -v DOCKER` is no
substitute: it misses those. After loading the file, start the program again.

Chains that are made for your rules, such as `DOCKER-USER`, may stay. In nft, save your own
tables one by one (`nft list table inet filter`) and not `nft list ruleset`.

## When it is wrong
Where the file is a record of a running host and never loaded, or a chain of yours has a
name of this kind. A dump on standard input is never reported, nor a file in which nothing is a
person's, unless it has a name that is loaded at boot (`rules.v4`, `nftables.conf`), nor a table of
nft whose sets are all empty: it may be one that you have to make for the program to fill. Nor is
a file of commands (`-N`, `add chain`) for nothing but such a program: it is what the program loads.

## References
- Docker, packet filtering and firewalls:
  https://docs.docker.com/engine/network/packet-filtering-firewalls/
- kube-proxy writes its chains at every sync: pkg/proxy/iptables/proxier.go
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from iptlint.analysis.session import Context
from iptlint.findings import Cause, Confidence, Finding, Label, Severity
from iptlint.findings.phrases import counted
from iptlint.model import Chain, Rule, Ruleset, Table
from iptlint.model.kinds import numbers_where
from iptlint.model.owners import Owner, owner_of_name, owner_of_table
from iptlint.model.software import is_saved
from iptlint.packets.describe.lists import few
from iptlint.rules.meta import Group, Meta
from iptlint.source import Origin

META = Meta(
    code="IPT404",
    name="transient-rules-saved",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.PERSISTENCE,
    since="0.1.0",
    about_files=True,
    yields_to=("IPT003",),
)

_SHOWN = 3


@dataclass(slots=True)
class _Share:
    """What one owner has in a file. ``whole``: tables it has for itself. ``rules``: in its
    tables and chains, or jumps to them."""

    whole: list[Table] = field(default_factory=list)
    tables: set[str] = field(default_factory=set)
    chains: list[Chain] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)

    def origins(self) -> Iterator[Origin | None]:
        """Where its tables and chains are declared."""
        yield from (table.origin for table in self.whole)
        yield from (chain.origin for chain in self.chains)


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        if is_saved(ruleset):
            shares = _shares(ruleset)
            for owner, share in shares.items():
                if share.rules and not (len(shares) == 1 and _is_its_own(ruleset, share)):
                    yield _finding(ruleset, owner, share)


def _is_its_own(ruleset: Ruleset, share: _Share) -> bool:
    """Whether it is what the program itself loads, and no copy: commands, as no listing has
    them, and nothing but its rules."""
    declarations = [origin for origin in share.origins() if origin is not None]
    only = {*share.rules}
    return (
        bool(declarations)
        and all(map(ruleset.syntax.is_command, declarations))
        and all(rule in only for _, _, rule in ruleset.rules())
    )


def _shares(ruleset: Ruleset) -> dict[Owner, _Share]:
    shares: dict[Owner, _Share] = defaultdict(_Share)
    for table in ruleset.tables:
        if (owner := owner_of_table(table.name)) is not None:
            if owner.transient and _is_filled(table):
                shares[owner].whole.append(table)
                shares[owner].rules += (rule for _, rule in table.rules())
            continue
        for chain in table.chains.values():
            owner = _generator_of(chain.name)
            if owner is not None:
                shares[owner].tables.add(table.name)
                shares[owner].chains.append(chain)

            def made_by(rule: Rule, owner: Owner | None = owner) -> Owner | None:
                return (owner or _generator_of(rule.verdict.chain or "")) if rule.read else None

            for number in numbers_where(chain, lambda rule: made_by(rule) is not None):
                rule = chain.rules[number]
                if (maker := made_by(rule)) is not None:
                    shares[maker].rules.append(rule)
    return shares


def _is_filled(table: Table) -> bool:
    """Whether something in it can be out of date."""
    return not table.sets or any(named.elements for named in table.sets)


def _generator_of(chain: str) -> Owner | None:
    """The software that writes the chain anew at every start."""
    owner = owner_of_name(chain)
    return owner if owner is not None and owner.generates(chain) else None


def _finding(ruleset: Ruleset, owner: Owner, share: _Share) -> Finding:
    declarations = sorted(
        (origin.span for origin in share.origins() if origin is not None),
        key=lambda span: span.start,
    )
    rules = sorted((rule.origin.span for rule in share.rules), key=lambda span: span.start)
    first, *others = declarations or rules
    labels = [Label(span, f"also {owner.name}'s") for span in others[: _SHOWN - 1]]
    if declarations:
        labels.append(Label(rules[0], "the first of the rules"))
    return META.finding(
        first,
        f"{owner.name} makes {_described(share)} anew when it starts: this copy will be out of"
        f" date when the file is loaded, and loading it {_does(ruleset, share)} what"
        f" {owner.name} has made since",
        f"keep only your own rules in the file and let {owner.name} make its own: take out its"
        f" {_taken_out(share)}; then load the edited file instead of saving what runs, and start"
        f" {owner.name} again",
        related=tuple(labels),
        causes=() if declarations else tuple(Cause(ruleset, part=rule) for rule in share.rules),
    )


def _does(ruleset: Ruleset, share: _Share) -> str:
    """nft empties nothing unless it is told to."""
    emptied = share.whole and not share.chains and all(table.fresh for table in share.whole)
    replaces = not ruleset.syntax.adds_to_tables or ruleset.flush is not None or emptied
    return "replaces" if replaces else "adds to"


def _taken_out(share: _Share) -> str:
    tables = f"table{'s' * (len(share.whole) > 1)}"
    if share.whole and len(share.rules) == sum(1 for table in share.whole for _ in table.rules()):
        return tables
    chains = (
        "chains, the rules that jump to them and what it adds to other chains (a `grep -v` on"
        " the chain names misses the last)"
    )
    return f"{tables}, {chains}" if share.whole else chains


def _described(share: _Share) -> str:
    rules = counted(len(share.rules), "rule")
    if share.whole:
        names = sorted(f"{table.family.value} {table.name}" for table in share.whole)
        several = len(names) > 1
        where = "in them and its chains" if share.chains else "in them" if several else "in it"
        return f"the table{'s' * several} {few(names, _SHOWN)} and the {rules} {where}"
    if not share.chains:
        one = len(share.rules) == 1
        return (
            "the rule that jumps to its chains" if one else f"the {rules} that jump to its chains"
        )
    names = sorted({chain.name for chain in share.chains})
    tables = f" of {len(share.tables)} tables" if len(share.tables) > 1 else ""
    chains = f"{counted(len(share.chains), 'chain')}{tables} ({few(names, _SHOWN)})"
    them = "them" if len(share.chains) > 1 else "it"
    return f"{chains} and the {rules} in {them} or leading to {them}"
