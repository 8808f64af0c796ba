"""A rule jumps to a chain that does not exist.

## What it does
Reports `-j` and `-g` to a name that is neither a chain of the same table nor a target, in
nft a `jump`, `goto` or verdict map to a chain, and an `@` to a set, that the table does not
have, and says which existing name is nearest. Chains of another table do not count. Where saved
ipsets are given with the rules, it reports the sets too that rules of iptables need and no file
makes, and those that are of the other address family.

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
Spell the name as it is declared, or declare the chain: `:name - [0:0]`, in nft
`chain name { … }` in the same table.

## When it is wrong
Where the file is a fragment that another program completes. Names that ufw, firewalld and
other managers define at run time are left alone. Chains that docker or kube-proxy makes when it
starts are told of, as possible, where the file sets a policy too, as one for `iptables-restore`
does: that empties the table first, so that no chain is there which the file does not declare;
only with `--noflush` it leaves what is there. A script may rely on chains that were there
before: where it makes a table anew, or the name is nearly that of a target, the jump is an
error, else a warning; where it has other scripts carried out that are not beside it, which
may make the chain, nothing is said.

## References
- iptables-restore(8): https://man7.org/linux/man-pages/man8/iptables-restore.8.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from iptlint.analysis.session import Context
from iptlint.analysis.set_uses import SetUse, uses_of_sets
from iptlint.findings import Cause, Confidence, Finding, Label, Severity, phrases
from iptlint.model import Family, Rule, Ruleset, Table
from iptlint.model.kinds import rules_testing
from iptlint.model.near_words import MOST_KNOWN, nearest
from iptlint.model.owners import Owner, owner_of_name
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.model.sets import SavedSets

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
            for name, rules in _undefined(ruleset, table).items():
                yield _finding(ruleset, table, name, rules)
        if context.sets is not None:
            yield from _without_set(ruleset, context.sets)


def _undefined(ruleset: Ruleset, table: Table) -> dict[str, list[Rule]]:
    """The rules that call each name that is not there."""
    by_target: dict[str, list[Rule]] = {}
    for _, rule in rules_testing(table, lambda rule: rule.verdict.chain is not None):
        name = rule.verdict.chain
        if name is None or name in table.chains:
            continue
        owner = owner_of_name(name)
        if owner is None or not _may_be_made(ruleset, table, owner):
            by_target.setdefault(name, []).append(rule)
    if ruleset.script is not None and ruleset.script.lacks_files:  # which may make chains
        return {name: rules for name, rules in by_target.items() if _is_misspelt(name)}
    return by_target


def _finding(ruleset: Ruleset, table: Table, name: str, rules: Sequence[Rule]) -> Finding:
    others = tuple(
        Label(rule.origin.part(-1), "here too") for rule in rules[1 : 1 + phrases.MAX_LABELS]
    )
    unmade = ruleset.script is not None and not _is_misspelt(name)
    meant = table.chains.get(_near(ruleset, table, name) or "")
    return META.finding(
        rules[0].origin.part(-1),
        _message(ruleset, table, name),
        _meant(ruleset, table, name),
        related=others,
        severity=Severity.WARNING if unmade else None,
        confidence=Confidence.POSSIBLE
        if unmade or owner_of_name(name) or _may_be_there(ruleset, table)
        else None,
        likeness=_owner_in(ruleset, name),
        causes=tuple(Cause(ruleset, part=part) for part in (*rules, meant) if part is not None),
    )


def _message(ruleset: Ruleset, table: Table, name: str) -> str:
    in_table = ruleset.syntax.table_name(table)
    refused = f"{in_table} has no chain {name}; nft refuses to load it"
    if _may_be_there(ruleset, table):
        refused = (
            f"{in_table} has no chain {name} here; nft refuses it where the running one has none"
        )
    fails = f"{in_table} cannot be loaded"
    owner = _owner_in(ruleset, name)
    if owner:
        fails = f"{fails}, though {owner} may have made it: iptables-restore takes it away first"
    if ruleset.script is not None:
        certain = _is_misspelt(name)
        fails = f"{'' if certain else 'unless something else made it, '}the command fails"
    return ruleset.syntax.pick(
        iptables=f"there is neither a chain nor a target {name}; {fails}",
        nft=refused,
    )


def _owner_in(ruleset: Ruleset, name: str) -> str:
    """Which software makes a chain of that name when it starts, whatever iptables-restore did."""
    owner = owner_of_name(name)
    return "" if owner is None or ruleset.is_nft else owner.name


def _may_be_made(ruleset: Ruleset, table: Table, owner: Owner) -> bool:
    """Whether the software may have made its chain before the text is loaded, and it is there
    still."""
    if ruleset.syntax.adds_to_tables:
        return _may_be_there(ruleset, table)
    return not (owner.transient and _replaces(ruleset, table))


def _replaces(ruleset: Ruleset, table: Table) -> bool:
    """Whether the text is the whole table, which iptables-restore empties before: it sets a policy,
    and is not what a manager of firewalls loads beside its own."""
    if ruleset.script is not None:
        return False
    called = (rule.verdict.chain for _, rule in table.rules())
    owners = (owner_of_name(name) for name in (*table.chains, *filter(None, called)))
    if any(owner is not None and not owner.transient for owner in owners):
        return False
    return any(chain.origin is not None for chain in table.base_chains())


def _may_be_there(ruleset: Ruleset, table: Table) -> bool:
    """Whether the text adds to a table that may have more than the text says."""
    return ruleset.syntax.adds_to_tables and not table.fresh and ruleset.flush is None


def _meant(ruleset: Ruleset, table: Table, name: str) -> str:
    near = None if owner_of_name(name) else _near(ruleset, table, name)
    line = ruleset.syntax.new_chain(name, ruleset, table)
    declare = f"declare the chain ({line}) or delete the rule"
    return f"did you mean {near}? Else {declare}" if near else declare


def _is_misspelt(name: str) -> bool:
    """Whether a target is meant, and no chain that something else may have made."""
    return nearest(name.lower(), [target.lower() for target in _TARGETS]) is not None


def _near(ruleset: Ruleset, table: Table, name: str) -> str | None:
    """What was meant, where the name is nearly that of something else."""
    targets = ruleset.syntax.pick(iptables=_TARGETS, nft=())
    chains = table.chains if len(targets) + len(table.chains) <= MOST_KNOWN else ()
    spellings = {known.lower(): known for known in (*targets, *chains)}
    near = nearest(name.lower(), spellings)
    return spellings[near] if near else None


# -- sets ---------------------------------------------------------------------


def _without_set(ruleset: Ruleset, sets: SavedSets) -> Iterator[Finding]:
    """One finding for each set that is missing, at the first rule that needs it."""
    uses: dict[tuple[str, str], list[SetUse]] = {}
    script = ruleset.script
    for use in uses_of_sets(ruleset):
        if script is not None and script.makes_set(use.name):
            continue
        fault = _fault(use, sets)
        if fault is not None:
            uses.setdefault((use.name, fault), []).append(use)
    for (name, fault), (first, *others) in uses.items():
        labels = tuple(Label(u.rule.origin.part(u.part), "here too") for u in others)
        yield META.finding(
            first.rule.origin.part(first.part),
            f"{fault}; {'the command fails' if script else _REFUSED}",
            _nearest(name, sets),
            related=labels[: phrases.MAX_LABELS],
        )


_REFUSED = "iptables-restore stops here, and the table cannot be loaded"


def _fault(use: SetUse, sets: SavedSets) -> str | None:
    contents = sets.contents.get(use.name)
    if contents is None:
        return f"no set {use.name} is in the saved sets that were given"
    if contents.exact and contents.family not in (None, use.table.family):
        family = "inet6" if contents.family is Family.IP6 else "inet"
        return f"the set {use.name} is of family {family}, and this rule is for the other"
    return None


def _nearest(name: str, sets: SavedSets) -> str:
    near = nearest(name, sets.contents)
    advice = "create the set before the rules are loaded, and save it with the others"
    return f"did you mean {near}? Else {advice}" if near and near != name else advice
