"""A script takes all rules away while the policy is DROP, and leaves it at that.

## What it does
Reports the `-F` (in nft `flush chain`) of a script after which INPUT or OUTPUT has no rule and
the policy DROP, when no later command puts rules in or sets the policy to ACCEPT. `-F` does not
touch policies. The policy is one that the script has set, or one of the rules that
`--from FILE` says the host has before it.

## Why it matters
Nothing gets in any more, the running SSH session included: flushing is what people do to have
a firewall out of the way, and it does the opposite.

## Example
```
iptables -P INPUT DROP
iptables -A INPUT -p tcp --dport 22 -j ACCEPT
iptables -F
```

## Fix
Set the policies to ACCEPT before the flush:
```
iptables -P INPUT ACCEPT
iptables -F
```

## When it is wrong
Where the host is meant to be cut off from the network.

## References
- iptables(8), -F and -P: https://man7.org/linux/man-pages/man8/iptables.8.html
"""

from __future__ import annotations

from collections.abc import Iterator

from iptlint.analysis.script_lockouts import Flush, last_flush
from iptlint.analysis.session import Context
from iptlint.findings import Cause, Confidence, Finding, Label, Severity
from iptlint.findings.fix import Change, Fix
from iptlint.model import Family, Hook, Ruleset, VerdictKind
from iptlint.rules.meta import Group, Meta

META = Meta(
    code="IPT304",
    name="flush-under-drop",
    severity=Severity.ERROR,
    confidence=Confidence.CERTAIN,
    group=Group.LOCKOUT,
    since="0.2.0",
    fixable=True,
)

_CUT = {
    Hook.INPUT: "nothing gets in any more, running SSH sessions included",
    Hook.OUTPUT: "nothing gets out any more, the answers to SSH included",
}


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        flushes = {family: last_flush(ruleset, family) for family in (Family.IP, Family.IP6)}
        spans = set()
        for flush in flushes.values():
            if flush is not None and flush.step.span not in spans:
                spans.add(flush.step.span)
                yield _finding(ruleset, flush)


def _finding(ruleset: Ruleset, flush: Flush) -> Finding:
    chain = flush.chain
    assert chain.hook is not None
    over = "over IPv6, " if flush.family is Family.IP6 else ""
    return META.finding(
        flush.step.span,
        f"{over}{_CUT[chain.hook]}: this takes the rules of {chain.name} away while its policy is "
        "DROP, and no later command lets anything pass",
        f"add before it: {ruleset.syntax.policy_command(chain, flush.table, 'accept')}",
        severity=Severity.WARNING if over else None,
        related=(Label(flush.policy.span, "the policy is set here"),) if flush.policy else (),
        causes=tuple(Cause(ruleset, family) for family in _shut(flush)),
        fix=_fix(ruleset, flush),
    )


def _fix(ruleset: Ruleset, flush: Flush) -> Fix | None:
    """The policy is ACCEPT from the command on that sets it: a command before the flush would leave
    the host shut until it is carried out, where the rules come behind the policy."""
    policy, hook = flush.policy, flush.chain.hook
    edit = ruleset.syntax.put_policy(policy.span, "accept") if policy and policy.is_sure else None
    if edit is None or hook is None:
        return None
    every = Change(VerdictKind.ACCEPT, (hook,), ((),))
    return Fix(
        f"give {flush.chain.name} the policy ACCEPT, in line {edit.span.line}",
        (edit,),
        False,
        (every,),
        otherwise="leave the flush out",
        leads_to=("IPT601",),
    )


def _shut(flush: Flush) -> tuple[Family, ...]:
    """Over what nobody gets in because of it: where IPv4 is shut, IPv6 alone helps few."""
    return (Family.IP, Family.IP6) if flush.family is Family.IP else (Family.IP6,)
