"""The prefix of a log says what does not happen to the packets.

## What it does
Finds logs whose prefix says DROP, BLOCK, REJECT or DENY and whose packets are all accepted in the
end, and logs whose prefix says ACCEPT or ALLOW and whose packets are all dropped or rejected.

## Why it matters
Who reads the log takes the packets for stopped, and they came in: a DROP is missing behind the log,
or the rule was copied. The other way round, somebody looks for the fault in the wrong place.

## Example
```
*filter
:INPUT ACCEPT [0:0]
-A INPUT -p tcp -m tcp --dport 23 -m limit --limit 5/min -j LOG --log-prefix "DROP telnet: "
COMMIT
```

## Fix
Add the rule that does what the prefix says, right behind the log: `-A INPUT -p tcp -m tcp --dport
23 -j DROP`. Or let the prefix say what happens.

## When it is wrong
Where another program drops the packets, or the prefix means something else by the word. Silent
where some of the packets are accepted and some are not, and in chains that decide nothing.

## References
- iptables-extensions(8), LOG: https://man7.org/linux/man-pages/man8/iptables-extensions.8.html
- nft(8), "LOG STATEMENT": https://www.netfilter.org/projects/nftables/manpage.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.default_verdict import is_policy_assumed
from iptlint.analysis.evidence import shown_by
from iptlint.analysis.fates import fates
from iptlint.analysis.includes import has_unseen_includes
from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import unmatched_rules
from iptlint.analysis.shares import Share, largest_first
from iptlint.findings import Cause, Confidence, Finding, Label, Severity
from iptlint.model import EffectKind, Family, Hook, Rule, Uncertain, VerdictKind
from iptlint.model.kinds import rules_testing
from iptlint.model.ownership import is_generated
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Firewall
    from iptlint.netfilter.table_analysis import TableAnalysis

META = Meta(
    code="IPT908",
    name="misleading-log-prefix",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.HYGIENE,
    since="0.2.0",
    yields_to=("IPT602",),
    leaves_to={
        "IPT601": "before a policy that accepts whatever is left, a log of all that is left is"
        " right about what the policy should do",
    },
)


class _Claim(NamedTuple):
    """What each of the words says of packets. ``instead``: what happens."""

    words: tuple[str, ...]
    denied: bool
    said: str
    instead: str


_DENIED = (
    *("drop", "drops", "dropped", "dropping"),
    *("block", "blocks", "blocked", "blocking"),
    *("reject", "rejects", "rejected", "rejecting"),
    *("deny", "denies", "denied", "denying"),
)
_ACCEPTED = (
    *("accept", "accepts", "accepted", "accepting"),
    *("allow", "allows", "allowed", "allowing"),
    *("permit", "permits", "permitted"),
)
_CLAIMS = (
    _Claim(_DENIED, True, "stopped", "are accepted"),
    _Claim(_ACCEPTED, False, "let through", "are dropped or rejected"),
)
_DOUBTS = (
    *("no", "not", "non", "never", "would", "test", "dry", "policy", "if", "all", "maybe", "to"),
)
"""Beside such a word, what the prefix says may be the contrary; beside one with "un", too."""


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        if has_unseen_includes(ruleset):
            continue
        firewall = context.firewall(ruleset)
        for analysis in firewall.by_decision().analyses():
            yield from _check_table(firewall, analysis)


def _check_table(firewall: Firewall, analysis: TableAnalysis) -> Iterator[Finding]:
    for chain, rule in rules_testing(analysis.table, lambda rule: bool(_prefix(rule))):
        prefix = _prefix(rule)
        claim = _claim(prefix)
        if claim is None or is_generated(analysis.table, chain.name):
            continue
        if rule in unmatched_rules(analysis):
            continue
        deciders = fates(firewall, analysis, rule)
        if deciders is None or (claim.denied and _is_of_policy(rule, deciders)):
            continue
        if any(_is_assumed(analysis, share) for share in deciders):
            continue
        if all(_belies(claim, share) for share in deciders):
            yield _finding(analysis, rule, prefix, claim, deciders)


def _prefix(rule: Rule) -> str:
    names = (effect.name for effect in rule.effects if effect.kind is EffectKind.LOG)
    return next((name for name in names if name), "")


def _claim(prefix: str) -> _Claim | None:
    words = [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", prefix)]
    if any(word in _DOUBTS or word.startswith("un") for word in words):
        return None
    made = [claim for claim in _CLAIMS if any(word in claim.words for word in words)]
    return made[0] if len(made) == 1 else None


def _belies(claim: _Claim, share: Share) -> bool:
    return share.kind is VerdictKind.ACCEPT if claim.denied else share.kind.denies


def _is_assumed(analysis: TableAnalysis, share: Share) -> bool:
    return share.rule is None and is_policy_assumed(analysis.ruleset, share.chain)


def _is_for_all(rule: Rule) -> bool:
    """Whether the log is for all that comes to it, as long as it is not too much."""
    return all(isinstance(match, Uncertain) for match in rule.matches)


def _is_of_policy(rule: Rule, deciders: Sequence[Share]) -> bool:
    """Whether the log is for all that comes to a policy which lets in what is left."""
    hooks = {share.chain.hook for share in deciders if share.rule is None}
    return _is_for_all(rule) and not hooks.isdisjoint((Hook.INPUT, Hook.FORWARD))


def _finding(
    analysis: TableAnalysis, rule: Rule, prefix: str, claim: _Claim, deciders: Sequence[Share]
) -> Finding:
    by = largest_first(deciders)[0]
    missing = "add the rule that stops them behind the log" if claim.denied else ""
    also = f"{missing}, or let" if missing else "let"
    return META.finding(
        rule.origin.span,
        f'"{prefix.strip()}" says that these packets are {claim.said}, and all of them'
        f" {claim.instead}: {by.name} {by.does} {'them' if len(deciders) == 1 else 'most of them'}",
        f"{also} the prefix say what happens",
        related=() if by.rule is rule else (Label(by.span, f"{by.does} them here"),),
        witness=shown_by(analysis, analysis.place(rule).chain, [rule], analysis.matched(rule)),
        likeness="prefix",
        causes=tuple(_causes(analysis, rule)),
    )


def _causes(analysis: TableAnalysis, rule: Rule) -> Iterator[Cause]:
    """A log of all that is left is about what becomes of that."""
    if _is_for_all(rule):
        for base in analysis.calls.bases_of(analysis.place(rule).chain):
            for family in (Family.IP, Family.IP6):
                yield Cause(analysis.ruleset, family, base.hook)
