"""FTP relies on RELATED, and nothing sets the helper that makes connections related.

## What it does
Where a hook denies by default, a rule accepts the control connection of FTP (tcp port 21) and
RELATED is accepted, asks whether data connections come through by another rule. If none do, and no
rule sets a helper (`CT --helper ftp`, `ct helper set`), the rule for port 21 is reported. So is a
test for a helper (`-m helper`, `ct helper "ftp"`) that nothing sets.

## Why it matters
Who connects to port 21 is told another port for the data. Only a helper of connection tracking
reads that and knows the second connection as related. Up to Linux 4.6 helpers watched their usual
ports by themselves; since 4.7 a rule has to set them. Loading the module alone does nothing:
logging in works, and every listing hangs.

## Example
```
*filter
:INPUT DROP [0:0]
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 21 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
```

## Fix
`-t raw -A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp` (OUTPUT for a client), in nft `ct
helper ftp { type "ftp" protocol tcp; }` and `tcp dport 21 ct helper set "ftp"`. Or give the server
a few passive ports and accept these, which works with TLS too, where no helper can read along.

## When it is wrong
Where the sysctl `net.netfilter.nf_conntrack_helper` is 1 (up to Linux 5.19), or the helper is set
in another file.

## References
- Secure use of helpers: https://home.regit.org/netfilter-en/secure-use-of-helpers/
- net/netfilter/nf_conntrack_helper.c ("disable automatic helper assignment")
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.connections import few_ports
from iptlint.analysis.default_verdict import ODD_PORTS, dropped_by_default, outside
from iptlint.analysis.hook_verdicts import may_pass
from iptlint.analysis.includes import has_unseen_includes
from iptlint.analysis.session import Context
from iptlint.analysis.shares import Share, responsible_call, shares
from iptlint.findings import Confidence, Finding, Severity
from iptlint.findings.per_family import for_each_family
from iptlint.model import Field, Hook, Match, Opaque, Rule, Uncertain, VerdictKind, Within
from iptlint.model.kinds import examples_in
from iptlint.model.protocols import TCP, tcp_flag_bits
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT210",
    name="helper-missing",
    severity=Severity.INFO,
    confidence=Confidence.POSSIBLE,
    group=Group.STATE,
    since="0.2.0",
)

_CONTROL = 21
_NEIGHBOURS = (20, 22)
"""Ports that rules name beside it (data from the server, SSH), in one range with it then."""

_SINCE = "Linux 4.7 and later have no helper but one that a rule sets"
_SETTING = ("CT", "ct helper set")
"""What sets a helper: the target of iptables with the option, the statement of nft."""

_SET_IN = {
    Hook.INPUT: "PREROUTING",
    Hook.FORWARD: "PREROUTING",
    Hook.OUTPUT: "OUTPUT",
}


def check(context: Context) -> Iterator[Finding]:
    rulesets = context.rulesets
    if any(map(has_unseen_includes, rulesets)):
        return
    tables = (table for ruleset in rulesets for table in ruleset.tables)
    if any(_sets_helper(rule) for table in tables for _, rule in examples_in(table)):
        return
    yield from for_each_family(context, _tests)
    yield from for_each_family(context, _check_family)


def _sets_helper(rule: Rule) -> bool:
    name = rule.verdict.name
    return name in _SETTING and (name != "CT" or "--helper" in rule.verdict.options)


def _tests(hooks: Hooks) -> Iterator[Finding]:
    for rule in hooks.rules_testing(lambda rule: any(map(_asks_for_helper, rule.matches))):
        for number, match in enumerate(rule.matches):
            if _asks_for_helper(match):
                yield META.finding(
                    rule.origin.part(number),
                    f"no connection has this helper: no rule sets it, and {_SINCE}",
                    hooks.ruleset.syntax.pick(
                        iptables="set it in the raw table, with -j CT --helper and its name",
                        nft="declare it in the table (ct helper) and set it (ct helper set)",
                    ),
                    likeness="helper",
                )


def _asks_for_helper(match: Match) -> bool:
    return isinstance(match, Opaque | Uncertain) and match.kind == "helper"


def _check_family(hooks: Hooks) -> Iterator[Finding]:
    naming = any(map(_names_control, hooks.rules_testing(_names_a_port)))
    for hook in _SET_IN if naming else ():
        main = hooks.deciding_chain(hook)
        if main is None:
            continue
        denied = dropped_by_default(hooks, hook)
        if not denied.satisfiable():
            continue
        accepting = _accepting_by_name(hooks, hook, denied)
        if accepting is not None and _relies_on_helper(hooks, hook, accepting.packets):
            yield META.finding(
                responsible_call(accepting).span,
                "of FTP only the control connection comes through: nothing accepts data"
                f" connections but RELATED, no rule sets the helper ftp, and {_SINCE}",
                f"{_setting(hooks, _SET_IN[hook])}; or accept the server's passive ports",
                likeness="of FTP",
            )


def _accepting_by_name(hooks: Hooks, hook: Hook, denied: PacketSet) -> Share | None:
    """The rule that accepts control connections and means them: it does not take those to ports
    that are nobody's as well."""
    control = _opening(hooks, hook, denied) & hooks.space.value(Field.DPORT, _CONTROL)
    control = may_pass(hooks, hook, control)
    if not control.satisfiable():
        return None
    nobodys = tuple((port, port) for port in ODD_PORTS)
    others = _opening(hooks, hook, denied) & hooks.space.ranges(Field.DPORT, nobodys)
    broad = {share.rule for share in shares(hooks, hook, may_pass(hooks, hook, others))}
    for share in shares(hooks, hook, control):
        if share.kind is VerdictKind.ACCEPT and share.rule not in broad and _is_named(share):
            return share
    return None


def _is_named(share: Share) -> bool:
    """Whether the rule, or the call of its chain, is for FTP's port or ports, and not for a range
    that they lie in."""
    rules = (share.rule, responsible_call(share).rule)
    return any(_names_control(rule) for rule in rules if rule is not None)


def _names_a_port(rule: Rule) -> bool:
    return any(isinstance(match, Within) and match.field is Field.DPORT for match in rule.matches)


def _names_control(rule: Rule) -> bool:
    lowest, highest = _NEIGHBOURS
    return any(
        lowest <= low <= _CONTROL <= high <= highest
        for match in rule.matches
        if isinstance(match, Within) and match.field is Field.DPORT and not match.negated
        for low, high in match.ranges
    )


def _opening(hooks: Hooks, hook: Hook, denied: PacketSet) -> PacketSet:
    """First packets of connections by tcp, on interfaces where others are denied."""
    space = hooks.space
    syn = space.value(Field.TCP_FLAGS, tcp_flag_bits("syn"))
    new = space.state("new") & space.value(Field.PROTO, TCP) & syn
    return hooks.hook_packets(hook) & outside(space) & denied & new


def _relies_on_helper(hooks: Hooks, hook: Hook, control: PacketSet) -> bool:
    """Whether data connections between the same hosts come through as related ones only."""
    space = hooks.space
    same = (Field.FAMILY, Field.IIF, Field.OIF, hooks.family.saddr, hooks.family.daddr)
    between = space.project(control, *same) & space.value(Field.PROTO, TCP)
    high = hooks.hook_packets(hook) & between & space.ranges(Field.DPORT, ((1024, 65535),))
    related = may_pass(hooks, hook, high & space.state("related"))
    syn = space.value(Field.TCP_FLAGS, tcp_flag_bits("syn"))
    passive = may_pass(hooks, hook, high & space.state("new") & syn)
    some = few_ports(space, passive, Field.DPORT)
    return related.satisfiable() and (not passive.satisfiable() or bool(some))


def _setting(hooks: Hooks, chain: str) -> str:
    return hooks.ruleset.syntax.pick(
        iptables=f"set it: -t raw -A {chain} -p tcp -m tcp --dport 21 -j CT --helper ftp",
        nft='set it: ct helper ftp { type "ftp" protocol tcp; } in the table, and the rule'
        ' tcp dport 21 ct helper set "ftp"',
    )
