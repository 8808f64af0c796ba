"""What no rule names is accepted: INPUT, or FORWARD of a router, is open by default.

## What it does
Sends connections from public addresses to ports that no rule would name through INPUT, and
through FORWARD where the ruleset translates addresses or has rules there. If most are
accepted, the policy (or the line that accepts them) is reported; the policies of both chains
as one. Where the chain holds accept rules too, says how many of them decide nothing. A file of nft
that empties all tables and then denies over IPv6 alone is reported too. So is OUTPUT where rules
say what may leave, and its policy accepts the rest: as an information, or as a warning where one of
them is for a tunnel, past which all leaves as soon as the tunnel is down.

## Why it matters
Every service that is installed later, or listens where nobody looked, is reachable at once.
Accept rules above an accept policy look like protection and are none.

## Example
```
*filter
:INPUT ACCEPT [0:0]
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A INPUT -p tcp --dport 22 -j ACCEPT
COMMIT
```

## Fix
First make sure that what you need is accepted (SSH, `lo`, established connections), then
`:INPUT DROP [0:0]`, or end the chain with `-A INPUT -j REJECT`. In nft a chain without a
policy accepts: write `policy drop;`, or `reject` as its last rule.

## When it is wrong
Where another firewall stands before the host. A chain that closes one interface, one address
of the host or one network behind it is not reported. Nor are chains that only ban (nothing in
them or in what they call but DROP and REJECT), chains of nft that only count, mark or log, chains
in which nobody but Docker, Kubernetes, Tailscale and the like has rules, and FORWARD where such
software manages it. A script that neither sets the policy nor has accept rules in the chain
adds to a firewall that is there. A rule that lets everyone in above a policy or a rule that
denies is told of by IPT602, in FORWARD by IPT605.

## References
- NIST SP 800-41 Rev. 1, 4.2 (deny by default): https://csrc.nist.gov/pubs/sp/800/41/r1/final
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.accepts_anyone import accept_any, on_unnamed_interfaces
from iptlint.analysis.default_verdict import (
    accepted_by_default,
    accepted_strangers,
    denied_destinations,
    dropped_by_default,
    forwards_on_its_own,
    is_policy_assumed,
    unsettled_interfaces,
)
from iptlint.analysis.evidence import shown_for, shown_from_world
from iptlint.analysis.hook_verdicts import may_end
from iptlint.analysis.idle_accepts import idle_accepts, idle_output
from iptlint.analysis.ipv6_counterpart import only_ipv6_open, without_ipv4
from iptlint.analysis.script_lockouts import is_flush, is_of_container, is_reset
from iptlint.analysis.session import Context
from iptlint.analysis.shares import Share, shares
from iptlint.analysis.spoofing import is_against_spoofing, turns_strangers_away
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.findings.per_family import for_each_family
from iptlint.model import (
    Chain,
    Family,
    Field,
    Hook,
    Interface,
    Rule,
    Ruleset,
    Table,
    Uncertain,
    VerdictKind,
)
from iptlint.model.kinds import examples, examples_in
from iptlint.model.owners import owner_of_table
from iptlint.model.ownership import writer_of
from iptlint.model.writes import reads_conntrack
from iptlint.packets.bdd import union
from iptlint.rules.meta import Group, Meta, Needs
from iptlint.source import Span

if TYPE_CHECKING:
    from iptlint.netfilter.base_chain import BaseChain
    from iptlint.netfilter.firewall import Hooks
    from iptlint.netfilter.table_analysis import TableAnalysis
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT601",
    name="default-accept",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.EXPOSURE,
    since="0.1.0",
    needs=Needs.FORWARDING,
    leaves_to=dict.fromkeys(
        ("IPT602", "IPT605", "IPT701"),
        "one finding is for both hooks, a hook that is reported left out",
    ),
)

_UNLESS = ", unless something else sets {}: nothing here does"
_TRANSLATING = ("MASQUERADE", "SNAT", "DNAT")
_DECIDES_NOTHING = "this lets out what leaves in any case"
_SHOWN, _NETWORK = 3, 8
"""Fewer addresses than _NETWORK, where FORWARD denies them, are banned, not protected."""


class _Open(NamedTuple):
    """A chain that accepts strangers, and who does so for it. ``maybe``: unless a target before
    it that is not known (synproxy, a module's) keeps them, or the policy was another one before
    a script that does not set it."""

    hook: Hook
    main: BaseChain
    share: Share
    maybe: bool

    @property
    def by_policy(self) -> bool:
        return self.share.rule is None

    def is_assumed(self, hooks: Hooks) -> bool:
        """Whether the policy is one that a script finds, whatever that is."""
        return self.by_policy and is_policy_assumed(hooks.ruleset, self.main.chain)


def check(context: Context) -> Iterator[Finding]:
    graver = [side.ip6 for side in only_ipv6_open(context)]  # IPT701 tells of these
    yield from for_each_family(context, partial(_check_family, context, graver))
    yield from for_each_family(context, _check_output)
    yield from map(_without_ipv4, without_ipv4(context))


def _without_ipv4(flush: Span) -> Finding:
    """IPT701 tells of it the other way round, which happens more often."""
    return META.finding(
        flush,
        "IPv4 is open while IPv6 denies by default: this empties all tables, and none is for IPv4",
        "make the table `inet`, so that its rules are for both, or write one for `ip` too",
        confidence=Confidence.POSSIBLE,
    )


def _check_family(context: Context, graver: list[Hooks | None], hooks: Hooks) -> Iterator[Finding]:
    asked = [Hook.INPUT] * (hooks not in graver) + [Hook.FORWARD] * _may_forward(context, hooks)
    openings = [each for hook in asked if (each := _open(hooks, hook))]
    tables = {each.main.analysis for each in openings}
    if len(openings) > len(tables) and len({each.by_policy for each in openings}) == 1:
        yield _both(hooks, *openings)
    else:
        yield from (_one(hooks, each) for each in openings)


def _check_output(hooks: Hooks) -> Iterator[Finding]:
    """Most hosts may send what they like; rules that name what may leave say that this one is not
    to."""
    idle = idle_output(hooks)
    if idle is None:
        return
    analysis, chain = idle.share.analysis, idle.share.chain
    advice = _advice(hooks.ruleset, chain)
    yield META.finding(
        idle.share.span,
        f"{chain.name} is open: its policy accepts every new connection that no rule denies"
        f"{_idle_rules(analysis, chain)}",
        f"if nothing else is to leave, {advice}; if it may, the rules can go",
        related=tuple(Label(rule.origin.span, _DECIDES_NOTHING) for rule in idle.rules[:_SHOWN]),
        witness=shown_for(hooks, Hook.OUTPUT, idle.share),
        severity=None if idle.tunnel else Severity.INFO,
    )


def _may_forward(context: Context, hooks: Hooks) -> bool:
    """Not where the kernel is known to forward nothing."""
    return context.host is None or context.host.facts.forwards(hooks.family.value) is not False


def _open(hooks: Hooks, hook: Hook) -> _Open | None:
    main = hooks.deciding_chain(hook)
    if main is None or not (main.chain.origin or main.chain.rules):
        return None
    if not _concerned(hooks, hook, main) or _closes(hooks, hook) or not _is_open(hooks, hook):
        return None
    if accept_any(hooks, hook):
        return None  # who is let in past rules that deny, IPT602 and IPT605 tell
    strangers = accepted_strangers(hooks, hook) & _where_strangers_come_from(hooks, hook)
    share = next(iter(shares(hooks, hook, strangers)), None)
    if share is None:  # they come by an interface that no chain listens at
        return None
    if hook is Hook.INPUT and share.rule is None and is_of_container(hooks.ruleset.script):
        return None  # to it comes what its host lets through
    if share.rule is None and is_policy_assumed(hooks.ruleset, main.chain):
        return _Open(hook, main, share, maybe=True) if _is_meant_to_deny(hooks, main) else None
    if share.rule and unsettled_interfaces(hooks, hook).satisfiable():
        return None  # on others a rule that could not be read decides
    kept = may_end(hooks, hook, VerdictKind.UNKNOWN, share.packets)
    return _Open(hook, main, share, kept.satisfiable())


def _where_strangers_come_from(hooks: Hooks, hook: Hook) -> PacketSet:
    """Interfaces that no rule names; to a host, those which a script calls the world's."""
    script, space = hooks.ruleset.script, hooks.space
    if hook is not Hook.INPUT or script is None or not script.facing:
        return on_unnamed_interfaces(space, hook)
    names = (name for name, faces in script.facing.items() if faces)
    return union([space.interface(Field.IIF, name) for name in names], space.false)


def _is_meant_to_deny(hooks: Hooks, main: BaseChain) -> bool:
    """Whether a script that does not set the policy is more than a few rules for a firewall that
    is there: it accepts what is accepted anyway, the answers or lo too if it did not empty the
    chain before, and nothing that it lacks may set the policy."""
    script = hooks.ruleset.script
    refused = (step for step in script.steps if step.failed) if script else ()
    if any({"-P", main.chain.name} <= {*step.words} for step in refused):
        return False  # that is told, and is the one mistake
    if script is None or script.lacks_files or not idle_accepts(main.analysis, main.chain):
        return False
    return any(map(is_flush, script.steps)) or any(map(_is_of_every_firewall, examples(main.chain)))


def _is_of_every_firewall(rule: Rule) -> bool:
    """Whether it accepts answers to connections on all interfaces, or what comes from the host."""
    names = [match.name for match in rule.matches if isinstance(match, Interface)]
    answers = reads_conntrack(rule.matches) and not names
    answers &= not any(isinstance(match, Uncertain) for match in rule.matches)
    return rule.verdict.kind is VerdictKind.ACCEPT and (answers or "lo" in names)


def _concerned(hooks: Hooks, hook: Hook, main: BaseChain) -> bool:
    analysis, chain, owner = main.analysis, main.chain, owner_of_table(main.analysis.table.name)
    if (owner is not None and owner.transient) or is_reset(hooks.ruleset):
        return False
    decided = any(not _is_generated(analysis.table, chain, rule) for rule in examples(chain))
    if hook is Hook.FORWARD and (forwards_on_its_own(hooks) or not (decided or _translates(hooks))):
        return False
    if hook is Hook.INPUT and chain.rules and not decided:
        return False
    return not (_only_bans(main) or _only_counts(analysis, chain))


def _is_generated(table: Table, chain: Chain, rule: Rule) -> bool:
    """Whether software writes the rule anew at every start, into whatever chain."""
    owner = writer_of(table, chain.name, rule)
    return owner is not None and owner.transient


def _translates(hooks: Hooks) -> bool:
    """Whether it is a router's; one that translates IPv4 forwards what comes to a chain for both
    families too."""
    shared = Family.INET in hooks.ruleset.families
    return any(
        rule.verdict.name.upper() in _TRANSLATING and not _is_generated(table, chain, rule)
        for table in hooks.ruleset.tables
        if shared or hooks.family.value in table.family.packets
        for chain, rule in examples_in(table)
    )


def _only_bans(main: BaseChain) -> bool:
    """Whether the verdicts of the chain and what it calls are all DROP or REJECT."""
    kinds = {
        rule.verdict.kind
        for rule in main.examples()
        if rule.verdict.chain not in main.analysis.table.chains and not rule.verdict.kind.goes_on
        if not is_against_spoofing(rule)
    }
    return bool(kinds) and all(kind.denies for kind in kinds)


def _only_counts(analysis: TableAnalysis, chain: Chain) -> bool:
    """Whether a chain of nft's is there to count, mark or log; the chains of iptables are there
    without anyone's asking."""
    built_in = analysis.table.name == "filter" and chain.name.isupper()
    if built_in or not analysis.syntax.makes_base_chains:
        return False
    kinds = {rule.verdict.kind for rule in examples(chain)}
    return kinds == {VerdictKind.CONTINUE}


def _one(hooks: Hooks, opening: _Open) -> Finding:
    analysis, chain, share = opening.main.analysis, opening.main.chain, opening.share
    by = f"line {share.rule.origin.span.line} accepts" if share.rule else "its policy accepts"
    assumed = opening.is_assumed(hooks)
    unless = _UNLESS.format("the policy") if assumed else ""
    returns = _returned(opening) if opening.by_policy else None
    past = f"; line {returns.origin.span.line} returns what rules below it deny" if returns else ""
    return META.finding(
        share.span,
        f"{chain.name} is open: {by} every new connection that no rule denies{past}"
        f"{_idle_rules(analysis, chain) if opening.by_policy else ''}{unless}",
        _instead(_returning(_advice(hooks.ruleset, chain), returns), share.rule),
        related=(Label(returns.origin.span, "leads them to the policy"),) if returns else (),
        witness=shown_from_world(hooks, opening.hook, share),
        severity=Severity.INFO if assumed else None,
        confidence=Confidence.POSSIBLE if opening.maybe else None,
    )


def _returned(opening: _Open) -> Rule | None:
    """The rule that leads all of them past rules of the chain that would deny them."""
    chain, left = opening.main.chain, opening.share.packets
    pairs = list(zip(chain.rules, opening.main.analysis.flows[chain.name].tests, strict=True))
    for number, (rule, tests) in enumerate(pairs):
        if rule.verdict.kind is VerdictKind.RETURN and not (left & ~tests.may).satisfiable():
            denying = [test.sure for other, test in pairs[number:] if other.verdict.kind.denies]
            denied = union(denying, opening.main.analysis.space.false)
            return None if (left & ~denied).satisfiable() else rule
    return None


def _instead(advice: str, accepting: Rule | None) -> str:
    """Above a policy that denies, a rule that accepts all has to go."""
    before = f"in the place of line {accepting.origin.span.line}, " if accepting else ""
    return f"{before}{advice}"


def _returning(advice: str, returns: Rule | None) -> str:
    """For a policy that denies, the rule need not go."""
    return f"{advice}; or delete line {returns.origin.span.line}" if returns else advice


def _both(hooks: Hooks, input_: _Open, forward: _Open) -> Finding:
    """Nobody has made this host deny by default: one cause, though there are two chains."""
    chains = [input_.main.chain, forward.main.chain]
    assumed = input_.is_assumed(hooks) or forward.is_assumed(hooks)
    unless = _UNLESS.format("them") if assumed else ""
    lines = f"lines {input_.share.span.line} and {forward.share.span.line}"
    by, this = ("their policies", "policy") if input_.by_policy else (lines, "rule")
    before = "" if input_.by_policy else f"in the place of {lines}, "
    return META.finding(
        input_.share.span,
        f"{' and '.join(chain.name for chain in chains)} are open: {by} accept every new"
        f" connection that no rule denies{unless}",
        f"{before}{_advice(hooks.ruleset, *chains)}",
        related=(Label(forward.share.span, f"so does this {this}"),),
        witness=shown_from_world(hooks, Hook.INPUT, input_.share),
        severity=Severity.INFO if assumed else None,
        confidence=Confidence.POSSIBLE if input_.maybe or forward.maybe else None,
    )


def _is_open(hooks: Hooks, hook: Hook) -> bool:
    """Whether strangers are accepted on interfaces that no rule names. That none is denied for
    certain does not say so."""
    space = hooks.space
    accepted = accepted_by_default(hooks, hook)
    for field in (Field.IIF, Field.OIF) if hook is Hook.FORWARD else (Field.IIF,):
        accepted &= space.value(field, space.interfaces.count - 1)
    return accepted.satisfiable()


def _closes(hooks: Hooks, hook: Hook) -> bool:
    """Whether strangers are turned away on some interface, or from a host or a network."""
    if dropped_by_default(hooks, hook).satisfiable():
        return hook is not Hook.INPUT or turns_strangers_away(hooks)
    addresses = denied_destinations(hooks, hook)
    count = addresses.sat_count_float(hooks.space.fields[hooks.family.daddr].width)
    return count >= (1 if hook is Hook.INPUT else _NETWORK)


def _idle_rules(analysis: TableAnalysis, chain: Chain) -> str:
    """How many accept rules of the chain decide nothing, for the message."""
    accepting = [rule for rule in chain.rules if rule.verdict.kind is VerdictKind.ACCEPT]
    idle = len(idle_accepts(analysis, chain))
    if not idle:
        return ""
    if idle < len(accepting):
        return f"; {idle} of its {len(accepting)} accept rules decide nothing"
    if idle == 1:
        return "; its accept rule decides nothing: what it does not name is accepted as well"
    lines = {rule.origin.span.line for rule in accepting}
    count = f"{idle} " * (len(lines) == idle)  # a script makes some of them over and over
    return f"; its {count}accept rules decide nothing: what they do not name is accepted as well"


_NEEDED = {
    Hook.INPUT: "what you need (SSH, lo, established)",
    Hook.FORWARD: "what your networks may send, and established",
    Hook.OUTPUT: "lo, established and, over IPv6, neighbour discovery",
}


def _advice(ruleset: Ruleset, *chains: Chain) -> str:
    first, *others = chains
    too = (f"; in {c.name} {_NEEDED[c.hook or Hook.FORWARD]}" for c in others)
    needed = "".join((_NEEDED[first.hook or Hook.INPUT], *too))
    dropping = (ruleset.syntax.policy(chain, ruleset, "drop") for chain in chains)
    policies = dict.fromkeys(f"`{policy}`" for policy in dropping)
    where = " in both" * (len(policies) < len(chains))
    return f"accept {needed}; then {' and '.join(policies)}{where}"
