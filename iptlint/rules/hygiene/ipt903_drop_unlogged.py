"""What a chain drops at its end leaves no trace: nothing logs it.

## What it does
Follows ordinary packets from strangers through the input and the forward hook. Where most of
them are dropped or rejected by the policy or by a rule, and none of the rules they meet on the
way logs them, with or without a limit, it says so: once a chain.

## Why it matters
When something does not work, or someone tries doors, the log of dropped packets is the first
place to look. Benchmarks ask for it.

## Example
```
*filter
:INPUT DROP [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
COMMIT
```

## Fix
As the last rule: `-A INPUT -m limit --limit 5/min -j LOG --log-prefix "dropped: "`; in nft
`limit rate 5/minute log prefix "dropped: "`. Not without a limit: see IPT901.

## When it is wrong
On hosts that face the internet the log is mostly noise, and counters say enough. It is off
unless it is selected.

## References
- iptables-extensions(8), LOG: https://man7.org/linux/man-pages/man8/iptables-extensions.8.html
- CIS Distribution Independent Linux Benchmark, section 3.5 (firewall configuration)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.default_verdict import dropped_by_default, probes
from iptlint.analysis.evidence import shown_for
from iptlint.analysis.log_flood import logs
from iptlint.analysis.session import Context
from iptlint.analysis.shares import Share, shares
from iptlint.findings import Confidence, Finding, Severity
from iptlint.findings.per_family import for_each_family
from iptlint.model import Hook
from iptlint.model.kinds import rules_testing
from iptlint.model.ownership import is_user_chain
from iptlint.model.syntax import Suggestion
from iptlint.packets.bdd import union
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT903",
    name="drop-unlogged",
    severity=Severity.INFO,
    confidence=Confidence.CERTAIN,
    group=Group.HYGIENE,
    since="0.1.0",
    pedantic=True,
)

_HOOKS = (Hook.PREROUTING, Hook.INPUT, Hook.FORWARD)
_LOG = Suggestion(
    '-m limit --limit 5/min -j LOG --log-prefix "dropped: "',
    'limit rate 5/minute log prefix "dropped: "',
)


def check(context: Context) -> Iterator[Finding]:
    yield from for_each_family(context, _check_family)


def _check_family(hooks: Hooks) -> Iterator[Finding]:
    for hook in (Hook.INPUT, Hook.FORWARD):
        denied = dropped_by_default(hooks, hook)
        if not denied.satisfiable():
            continue
        turned_away = union([*probes(hooks, hook, "new", "syn")], hooks.space.false) & denied
        share = next((s for s in shares(hooks, hook, turned_away) if s.kind.denies), None)
        if share is None or not share.chain.rules:
            continue
        if not is_user_chain(share.analysis.table, share.chain.name):
            continue  # what has no rule at all is not in use
        if not _logged(hooks, hook, turned_away):
            yield _finding(hooks, hook, share)


def _logged(hooks: Hooks, hook: Hook, packets: PacketSet) -> bool:
    """Whether a log may see some of the packets, here or before routing."""
    free = {base_chain.analysis: None for each in _HOOKS for base_chain in hooks.base_chains(each)}
    return any(
        (analysis.tests(rule).may & packets).satisfiable()
        for analysis in free
        for chain, rule in rules_testing(analysis.table, logs)
        if {hook, Hook.PREROUTING} & {*analysis.calls.hooks_of(chain.name)}
    )


def _finding(hooks: Hooks, hook: Hook, share: Share) -> Finding:
    place = "add as the last rule" if share.rule is None else "add before it"
    return META.finding(
        share.span,
        f"{share.name} {share.does} what no rule accepts on its way through {hook.value}, and"
        " nothing logs it",
        f"{place}: {_LOG.into(share.chain.name, hooks.ruleset, share.analysis.table)}",
        witness=shown_for(hooks, hook, share),
    )
