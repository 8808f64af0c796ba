"""A rule jumps to a chain that does not exist.

## What it does
Reports `-j` and `-g` to a name that is neither a chain of the same table nor a target, and
says which existing name is nearest. Chains of another table do not count.

## Why it matters
`iptables-restore` refuses the whole file: at the next boot there is no firewall. With
iptables-nft, `--test` does not notice.

## Example
```
*filter
-A INPUT -p tcp --dport 22 -j ACEPT
COMMIT
```

## Fix
Spell the name as it is declared, or declare the chain: `:name - [0:0]`.

## When it is wrong
Where the file is a fragment that another program completes. Names that ufw, firewalld and
other software define at run time are left alone.

## References
- iptables-restore(8): https://man7.org/linux/man-pages/man8/iptables-restore.8.html
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.model import Rule, Ruleset, Table
from iptlint.model.owners import owner_of
from iptlint.rules import wording
from iptlint.rules.meta import Context, Group, Meta

META = Meta(
    code="IPT003",
    name="undefined-target",
    severity=Severity.ERROR,
    confidence=Confidence.CERTAIN,
    group=Group.READING,
    since="0.1.0",
)

_TARGETS = (
    *("ACCEPT", "DROP", "REJECT", "RETURN", "QUEUE", "NFQUEUE", "LOG", "NFLOG", "MARK"),
    *("CONNMARK", "MASQUERADE", "SNAT", "DNAT", "REDIRECT", "NETMAP", "NOTRACK", "CT", "TCPMSS"),
    *("TPROXY", "TEE", "SET", "CLASSIFY", "DSCP", "TOS", "TTL", "AUDIT", "TRACE"),
)
"""Those that people write; for what was meant."""


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        for table in ruleset.tables:
            for name, rules in _undefined(table).items():
                yield _finding(ruleset, table, name, rules)


def _undefined(table: Table) -> dict[str, list[Rule]]:
    """The rules that call each name that is not there."""
    found: dict[str, list[Rule]] = {}
    for _, rule in table.rules():
        name = rule.verdict.chain
        if name is not None and name not in table.chains and owner_of(name) is None:
            found.setdefault(name, []).append(rule)
    return found


def _finding(ruleset: Ruleset, table: Table, name: str, rules: Sequence[Rule]) -> Finding:
    others = tuple(
        Label(rule.origin.part(-1), "here too") for rule in rules[1 : 1 + wording.MAX_LABELS]
    )
    return META.finding(
        rules[0].origin.part(-1),
        _message(ruleset, table, name),
        _meant(ruleset, table, name),
        related=others,
    )


def _message(ruleset: Ruleset, table: Table, name: str) -> str:
    if ruleset.is_nft:
        return f"the table {table.name} has no chain {name}; nft refuses to load it"
    return f"there is neither a chain nor a target {name}; the {table.name} table cannot be loaded"


def _meant(ruleset: Ruleset, table: Table, name: str) -> str:
    targets = () if ruleset.is_nft else _TARGETS
    spellings = {known.lower(): known for known in (*targets, *table.chains)}
    near = difflib.get_close_matches(name.lower(), spellings, n=1)
    line = f"chain {name} {{ … }}" if ruleset.is_nft else f":{name} - [0:0]"
    declare = f"declare the chain ({line}) or delete the rule"
    return f"did you mean {spellings[near[0]]}? Else {declare}" if near else declare
