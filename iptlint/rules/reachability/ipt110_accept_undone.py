"""What a rule of nft accepts, a base chain that is asked later drops.

## What it does
Follows the new packets that a rule accepts to the base chains that are asked after its own at
the same hook, of whatever table. Reports the rule if all of them are dropped or rejected there
for certain, with the line that does it. What software accepts (LXD, tailscale, podman, docker in
tables of iptables-nft) is one finding for each of them.

## Why it matters
In nft `accept` ends one base chain, not the hook. A packet passes only if every base chain of
every table lets it pass; one `drop` is the end. So a table beside firewalld's, or beside the
one of another file, opens nothing.

## Example
```
table inet mine {
    chain input {
        type filter hook input priority filter - 1; policy accept;
        tcp dport 8080 accept
    }
}
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        iifname "lo" accept
        tcp dport 22 accept
    }
}
```

## Fix
Accept the packets in the chain that drops them: `insert rule inet filter input tcp dport 8080
accept`, or have one base chain for each hook. firewalld: `firewall-cmd --add-port=8080/tcp`.

## When it is wrong
Where the later chain is meant to have the last word. Silent: chains that only drop what they
list, accepts that except something from the drops of their own chain, and rules only some of
whose packets are dropped later.

## References
- nft(8), "VERDICT STATEMENT" (accept): https://www.netfilter.org/projects/nftables/manpage.html
- net/netfilter/core.c, nf_hook_slow()
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from iptlint.analysis.session import Context
from iptlint.analysis.shares import Share
from iptlint.analysis.undone_accepts import UndoneAccept, undone_accepts
from iptlint.findings import Cause, Confidence, Finding, Label, Severity
from iptlint.findings.phrases import MAX_LABELS, counted
from iptlint.model import Hook, Ruleset, VerdictKind
from iptlint.model.owners import Owner
from iptlint.packets.describe.lists import listed
from iptlint.packets.packet import Packet
from iptlint.packets.witness import witness
from iptlint.rules.meta import Group, Meta
from iptlint.source import Span

if TYPE_CHECKING:
    from iptlint.netfilter.base_chain import BaseChain

META = Meta(
    code="IPT110",
    name="accept-undone",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.REACHABILITY,
    since="0.1.0",
    yields_to=("IPT111", "IPT854", "IPT856"),
)

_HOOKS = (Hook.INPUT, Hook.FORWARD, Hook.OUTPUT)
_SPELLED_OUT = 3
"""As many rules are proposed each by itself."""


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        if ruleset.syntax.makes_base_chains:
            by_owner: dict[Owner, list[UndoneAccept]] = defaultdict(list)
            for hook in _HOOKS:
                for several in undone_accepts(context.firewall(ruleset), hook):
                    yield from _findings(hook, [each for each in several if each.owner is None])
                    for each in several:
                        if each.owner is not None:
                            by_owner[each.owner].append(each)
            yield from (_of_software(ruleset, *each) for each in by_owner.items())


def _findings(hook: Hook, undone: Sequence[UndoneAccept]) -> Iterator[Finding]:
    """What one chain undoes of another is one mistake, however many rules it is."""
    by_chain: dict[tuple[BaseChain, str], dict[Span, UndoneAccept]] = {}
    for each in undone:
        of_chain = by_chain.setdefault((each.later, _past(each.by)), {})
        of_chain.setdefault(each.rule.origin.span, each)
    for by_span in by_chain.values():
        several = sorted(by_span.values(), key=lambda each: each.rule.origin.span.start)
        yield _folded(hook, several) if len(several) > 1 else _finding(hook, several[0])


def _finding(hook: Hook, undone: UndoneAccept) -> Finding:
    return META.finding(
        undone.rule.origin.span,
        f"what this accepts is {_past(undone.by)} after all: {undone.later.title} is asked"
        f" {_when(undone)} and lets none of the new packets through that this rule lets through",
        _advice(undone),
        related=(_label(undone),),
        witness=_witness(hook, undone),
        causes=_chains(undone),
    )


def _folded(hook: Hook, several: Sequence[UndoneAccept]) -> Finding:
    first, *others = several
    deniers = {each.by.span: _label(each) for each in several}
    places = [Label(each.rule.origin.span, "and this one") for each in others[: MAX_LABELS - 1]]
    more = len(others) - len(places)
    if more:
        places[-1] = Label(places[-1].span, f"and this one … and {more} more")
    return META.finding(
        first.rule.origin.span,
        f"what {counted(len(several), 'rule')} of {first.base_chain.title} accept is"
        f" {_past(first.by)} after all: {first.later.title} is asked {_when(first)} and lets"
        " none of the new packets through that they let through",
        _advice_of(several),
        related=(*[*deniers.values()][:MAX_LABELS], *places),
        witness=_witness(hook, first),
        causes=_chains(first),
    )


def _chains(undone: UndoneAccept) -> tuple[Cause, ...]:
    """One of them may be attached to another hook than it is for."""
    ruleset = undone.base_chain.analysis.ruleset
    return tuple(Cause(ruleset, part=each.chain) for each in (undone.base_chain, undone.later))


def _of_software(ruleset: Ruleset, owner: Owner, undone: Sequence[UndoneAccept]) -> Finding:
    """What software needs it accepts itself; all that is denied after it is one mistake."""
    by_span = {each.rule.origin.span: each for each in undone}
    several = sorted(by_span.values(), key=lambda each: each.rule.origin.span.start)
    first, number = several[0], len(several)
    deniers = {each.by.span: _label(each) for each in several}
    chains = list(dict.fromkeys(each.later.title for each in several))
    asked = "is asked" if len(chains) == 1 else "are asked"
    lets = "lets" if len(chains) == 1 else "let"
    return META.finding(
        first.rule.origin.span,
        f"what {owner.name} accepts is {_past(first.by)} after all: {listed(chains)} {asked}"
        f" {_when(first)} and {lets} none of the new packets through that"
        f" {'this rule lets' if number == 1 else f'{number} of its rules let'} through",
        _advice(first) if number == 1 else _advice_of(several, for_software=True),
        related=tuple(deniers.values())[:MAX_LABELS],
        witness=_witness(_hook_of(first), first),
        causes=tuple(Cause(ruleset, part=each.rule) for each in undone),
    )


def _hook_of(undone: UndoneAccept) -> Hook:
    hook = undone.base_chain.chain.hook
    assert hook is not None
    return hook


def _witness(hook: Hook, undone: UndoneAccept) -> Packet | None:
    """A packet that the rule accepts and the one that is named denies: of a table for both families
    one chain may deny those of one."""
    space, both = undone.base_chain.analysis.space, undone.packets & undone.by.packets
    return witness(space, both, hook) or witness(space, undone.packets, hook)


def _past(by: Share) -> str:
    return "rejected" if by.kind is VerdictKind.REJECT else "dropped"


def _when(undone: UndoneAccept) -> str:
    """Chains of one priority are asked in the order in which they happened to be loaded."""
    same = undone.base_chain.chain.priority == undone.later.chain.priority
    return "at the same priority" if same else "later"


def _label(undone: UndoneAccept) -> Label:
    by, priority = undone.by, undone.later.chain.priority
    who = "its policy" if by.rule is None else "this"
    return Label(by.span, f"{who} {by.does} them, at priority {priority}")


def _advice(undone: UndoneAccept) -> str:
    command = _command(undone)
    if command is None:
        return f"accept them in that chain too (insert rule {_into(undone)} …)"
    return f"accept them in that chain too: {command}"


def _advice_of(several: Sequence[UndoneAccept], *, for_software: bool = False) -> str:
    commands = [_command(each) for each in several[: _SPELLED_OUT + 1]]
    if None in commands or len(commands) > _SPELLED_OUT:
        if for_software:
            return (
                "accept the same packets there, or make its policy accept if others are to decide"
            )
        return "move the rules into that chain, or make its policy accept if this one has to decide"
    return f"accept them in that chain too: {'; '.join(filter(None, commands))}"


def _command(undone: UndoneAccept) -> str | None:
    text = undone.later.analysis.syntax.for_other_table(undone.rule)
    return None if text is None else f"insert rule {_into(undone)} {text}"


def _into(undone: UndoneAccept) -> str:
    table = undone.later.analysis.table
    return f"{table.family.value} {table.name} {undone.later.chain.name}"
