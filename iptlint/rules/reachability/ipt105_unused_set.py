"""A set, a map or a `define` of nft is used by nothing.

## What it does
Names the sets and maps that no rule of their table looks into or fills, and the variables
that stand nowhere.

## Why it matters
A blocklist that no rule reads blocks nobody, however well it is kept up to date. Often the
rule was lost in an edit, or spells another name.

## Example
```
define admin = 192.0.2.7

table inet filter {
    set banned {
        type ipv4_addr
        elements = { 203.0.113.9, 203.0.113.77 }
    }
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        ip saddr 192.0.2.7 tcp dport 22 accept
    }
}
```

## Fix
Use it (`ip saddr @banned drop`, `ip saddr $admin tcp dport 22 accept`), or delete it.

## When it is wrong
Where rules that iptlint was not shown read the set: another file adds them to the same table,
or a program does at run time. A table without rules, a file without tables, files that others
include, and the tables of docker, firewalld, fail2ban, crowdsec and their like are left alone.

## References
- nft(8), "SETS", "MAPS" and "SYMBOLIC VARIABLES": https://www.netfilter.org/projects/nftables/manpage.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from iptlint.analysis.includes import has_unseen_includes, loaded_alone
from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.findings.fix import without_declared
from iptlint.findings.phrases import MAX_LABELS, counted
from iptlint.model import Named, Ruleset, Table
from iptlint.model.owners import owner_of_name, owner_of_table
from iptlint.rules.meta import Group, Meta

META = Meta(
    code="IPT105",
    name="unused-set",
    severity=Severity.INFO,
    confidence=Confidence.CERTAIN,
    group=Group.REACHABILITY,
    since="0.1.0",
    fixable=True,
)

_USES = {
    "set": "no rule looks into the set {name}",
    "map": "no rule looks anything up in the map {name}",
}


_USED = "write a variable where its value stands now"


def check(context: Context) -> Iterator[Finding]:
    for ruleset in loaded_alone(context):
        if has_unseen_includes(ruleset):
            continue
        others = [each for each in context.rulesets if each is not ruleset]
        for table in ruleset.tables:
            if any(table.rules()) and owner_of_table(table.name) is None:
                yield from _sets(ruleset, table, others)
        if ruleset.tables:
            yield from _defines(ruleset)


def _sets(ruleset: Ruleset, table: Table, others: Sequence[Ruleset]) -> Iterator[Finding]:
    if any(chain.origin is None for chain in table.chains.values()):
        return  # the host has more rules in it
    hooked = any(table.base_chains())
    for named in table.sets:
        if named.kind not in _USES or named.used or owner_of_name(named.name) is not None:
            continue
        if not any(_mentions(other, table, named) for other in others):
            yield META.finding(
                named.origin.span,
                _message(named),
                f"use it in a rule, as @{named.name}, or delete it",
                confidence=None if hooked else Confidence.POSSIBLE,
                likeness=f"{named.kind} {hooked}",
                fix=without_declared(
                    ruleset,
                    [named.origin],
                    "delete it",
                    otherwise=f"use it in a rule, as @{named.name}",
                ),
            )


def _mentions(other: Ruleset, table: Table, named: Named) -> bool:
    """Whether the text of another file of the run has the name, for the same table."""
    if other.table(table.name, table.family) is None:
        return False
    return other.syntax.mentions_set(other.source, named.name)


def _message(named: Named) -> str:
    unused = _USES[named.kind].format(name=named.name)
    if not named.elements:
        return f"{unused}: whatever is put into it changes nothing"
    change = "changes" if named.elements == 1 else "change"
    return f"{unused}: the {counted(named.elements, 'element')} in it {change} nothing"


def _defines(ruleset: Ruleset) -> Iterator[Finding]:
    """One finding for all; those of included files may be there for others that include them.
    What stands between quotes is no use of one, but it was meant to be."""
    source = ruleset.source
    meant = frozenset(_IN_QUOTES.findall(source.text))
    own = [each for each in ruleset.defines if each.origin.span.source is source]
    unused = [each for each in own if not each.used and each.name not in meant]
    if not unused:
        return
    first, *more = unused
    if not more:
        message = f"nothing in this file uses ${first.name}"
    else:
        message = f"nothing in this file uses ${first.name}, nor {len(more)} more of its variables"
    says = f"delete the {counted(len(unused), 'definition')}" if more else "delete the definition"
    yield META.finding(
        first.origin.span,
        message,
        f"{says}; {_USED}",
        related=tuple(_labels(more)),
        fix=without_declared(ruleset, [each.origin for each in unused], says, otherwise=_USED),
    )


_IN_QUOTES = re.compile(r'"\$(\w+)"')


def _labels(unused: Sequence[Named]) -> Iterator[Label]:
    for named in unused[: MAX_LABELS - 1]:
        yield Label(named.origin.span, "not used either")
    if len(unused) >= MAX_LABELS:
        rest = unused[MAX_LABELS - 1 :]
        more = f" … and {len(rest) - 1} more" if len(rest) > 1 else ""
        yield Label(rest[0].origin.span, f"not used either{more}")
