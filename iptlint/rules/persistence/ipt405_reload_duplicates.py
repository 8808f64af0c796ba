"""An nft file adds its rules to tables that it does not empty first.

## What it does
Looks at files that are loaded by themselves (`#!/usr/sbin/nft -f` in the first line, or the
name `nftables.conf`), and at those that empty a table of `ip` by a name that is that of one of
`inet`. Reports those with rules for a table that nothing in the file flushes, deletes or
destroys before.

## Why it matters
`nft -f` adds to what is there: a table in a file is no table anew. Each reload appends all
rules once more. The old ones come first, so that what an edit took out still holds, and what
it added behind a closing `drop` never does.

## Example
```
#!/usr/sbin/nft -f
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        tcp dport 22 accept
    }
}
```

## Fix
Write `add table inet filter` and `delete table inet filter` before the table: the first keeps
the second from failing where there is none (or `destroy table inet filter`, from nft 1.0.7 and
Linux 6.3 on). The file is one transaction, so there is no moment without rules. `flush ruleset`
in the first line is shorter, and deletes the tables of docker, fail2ban and others too.

## When it is wrong
Where the file is only loaded into an empty ruleset: by a script that flushes before, or by a
service that does for a reload too (Arch and Fedora do, Debian does not); or where a file that
iptlint was not shown empties the table and includes this one. Files for `/etc/sysconfig`,
tables without rules and files that others of the run include are left alone.

## References
- nft(8), "add table", "delete table", "flush ruleset":
  https://www.netfilter.org/projects/nftables/manpage.html
- nftables wiki, "Atomic rule replacement"
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from iptlint.analysis.includes import has_unseen_includes, is_entry_point, loaded_alone, sources
from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.findings.phrases import MAX_LABELS
from iptlint.model import Family, Ruleset, Table
from iptlint.model.owners import owner_of_table
from iptlint.model.ownership import DOCKER_USER, owner_of_chain
from iptlint.model.syntax import Syntax
from iptlint.packets.describe.lists import listed
from iptlint.rules.meta import Group, Meta

META = Meta(
    code="IPT405",
    name="reload-duplicates",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.PERSISTENCE,
    since="0.1.0",
    about_files=True,
)

_SHOWN = 4
_FILLED = ("set", "map")


def check(context: Context) -> Iterator[Finding]:
    for ruleset in loaded_alone(context):
        if _is_loaded_again(ruleset):
            doubled = [table for table in ruleset.tables if _doubles(ruleset, table)]
            if doubled:
                yield _finding(ruleset, doubled)


def _is_loaded_again(ruleset: Ruleset) -> bool:
    if not (is_entry_point(ruleset) or _empties_another(ruleset)) or has_unseen_includes(ruleset):
        return False
    # Fedora's service puts `flush ruleset` before this file.
    in_sysconfig = "/sysconfig/" in ruleset.source.path
    return not (in_sysconfig or ruleset.syntax.adds_once(ruleset.source))


def _empties_another(ruleset: Ruleset) -> bool:
    """Whether it is to be loaded again, and what it empties for that is a table of `ip`, as no
    family is named, of the name of one that it has in another."""
    names = {name for s in sources(ruleset) for name in _OF_IP.findall(s.text)}
    families = {name: {t.family for t in ruleset.tables if t.name == name} for name in names}
    return any(of and Family.IP not in of for of in families.values())


_OF_IP = re.compile(
    r"^[ \t]*(?:flush|delete|destroy)[ \t]+table[ \t]+(\w[-\w]*)[ \t]*(?:;|\r?$|#)", re.M
)


def _doubles(ruleset: Ruleset, table: Table) -> bool:
    """Whether the table has rules in a chain that is not empty when it is loaded again."""
    if table.fresh or owner_of_table(table.name) is not None:
        return False
    emptied = {
        name
        for source in sources(ruleset)
        for family, of, name in ruleset.syntax.emptied_chains(source)
        if (family, of) == (table.family.value, table.name)
    }
    return any(chain.rules for name, chain in table.chains.items() if name not in emptied)


def _finding(ruleset: Ruleset, tables: list[Table]) -> Finding:
    first, *others = tables
    names = [f"{table.family.value} {table.name}" for table in tables]
    if len(names) > _SHOWN:
        names[_SHOWN - 1 :] = [f"{len(names) - _SHOWN + 1} more"]
    them = f"the table {names[0]}" if not others else f"the tables {listed(names)}"
    are = "are" if others else "is"
    origin = first.origin
    labels = [
        Label(table.origin.span, "the rules of this one too") for table in others if table.origin
    ]
    return META.finding(
        origin.span if origin else ruleset.source.line_span(1),
        f"{them} {are} not emptied before the rules are added: each time this file is loaded"
        " all rules are added once more, and what an edit took out of it still holds",
        f"write before it: {_emptying(tables, ruleset.syntax)}{_loss(tables, ruleset.syntax)}",
        related=tuple(labels[:MAX_LABELS]),
    )


def _loss(tables: Sequence[Table], syntax: Syntax) -> str:
    """What has come into sets while the host ran goes with their table."""
    deleted = [table for table in tables if _is_whole(table, syntax)]
    names = [named.name for table in deleted for named in table.sets if named.kind in _FILLED]
    if not names:
        return ""
    return f"; what was put into {listed(names[:_SHOWN])} while it ran is lost each time then"


def _emptying(tables: list[Table], syntax: Syntax) -> str:
    """Commands; what the file only adds to belongs to others, and has to stay."""
    return "; ".join(command for table in tables for command in _of_table(table, syntax))


def _is_whole(table: Table, syntax: Syntax) -> bool:
    """Whether all of the table is declared in the text, and no other software has chains there."""
    declared = table.origin is not None and syntax.declares(table.origin)
    chains = table.chains.items()
    return declared and all(
        chain.origin is not None and owner_of_chain(table, name) is None for name, chain in chains
    )


def _of_table(table: Table, syntax: Syntax) -> Iterator[str]:
    name = f"{table.family.value} {table.name}"
    if _is_whole(table, syntax):
        yield f"add table {name}; delete table {name}"
    else:
        chains = [c.name for c in table.chains.values() if c.rules and _is_users(table, c.name)]
        if chains:
            more = f" and {len(chains) - _SHOWN} more" * (len(chains) > _SHOWN)
            flushed = "; ".join(f"flush chain {name} {chain}" for chain in chains[:_SHOWN])
            yield f"{flushed}{more} (where nobody else has rules in it)"


def _is_users(table: Table, chain: str) -> bool:
    return chain == DOCKER_USER or owner_of_chain(table, chain) is None
