"""Rules that a finding proposes, in the language of the file it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptlint.analysis.before_conntrack import early_chains
from iptlint.analysis.default_verdict import accepted_by_default
from iptlint.analysis.shares import Decider
from iptlint.model import Family, Field, Hook, Rule, Ruleset, Table
from iptlint.model.syntax import Suggestion

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet

ESTABLISHED = Suggestion(
    "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT", "ct state established,related accept"
)
UNTRACKED = Suggestion("-m conntrack --ctstate UNTRACKED -j ACCEPT", "ct state untracked accept")
RELATED = Suggestion("-m conntrack --ctstate RELATED -j ACCEPT", "ct state related accept")
LOOPBACK_IN = Suggestion("-i lo -j ACCEPT", 'iifname "lo" accept')
LOOPBACK_OUT = Suggestion("-o lo -j ACCEPT", 'oifname "lo" accept')
_BEHIND_CONNTRACK = (
    "deny these in a chain behind connection tracking (filter, mangle), below a rule that accepts"
    " established: here nobody can tell what is"
)
INSIDE = {Family.IP: "10.0.0.0/8", Family.IP6: "fd00::/8"}
"""In the place of the networks that a suggestion cannot know."""


def accept_ssh(port: int, source: str | None = None, *, six: bool = False) -> Suggestion:
    """``source``: an address or network that the rule is for; everybody where it is None."""
    from_source = f"-s {source} " if source else ""
    nft = f"ip{'6' * six} saddr {source} " if source else ""
    return Suggestion(
        f"{from_source}-p tcp -m tcp --dport {port} -m conntrack --ctstate NEW -j ACCEPT",
        f"{nft}tcp dport {port} ct state new accept",
    )


def into(remedy: Suggestion, chain: str, hooks: Hooks) -> str:
    """As it would be written for packets of the family: several may have a chain of that name."""
    own = (hooks.family, Family.INET)
    tables = (each for each in hooks.ruleset.tables if each.family in own and chain in each.chains)
    table = min(tables, key=lambda each: each.name != "filter", default=None)
    return remedy.into(chain, hooks.ruleset, table)


def first(share: Decider, base: str, *remedies: Suggestion) -> str:
    """Where to add the rules, so that they come before what decides now."""
    ruleset = share.analysis.ruleset
    if share.chain.name in early_chains(share.analysis) and {*remedies} & {ESTABLISHED, RELATED}:
        return _BEHIND_CONNTRACK
    rules = [each.into(base, ruleset, share.analysis.table) for each in remedies]
    rule = "; ".join(dict.fromkeys(rules))
    if share.chain.name != base or (share.rule and puts_itself_first(ruleset, share.rule)):
        return at_the_top(share, base, *remedies)
    if share.rule is not None:
        return f"add before it: {rule}"
    return share.analysis.syntax.pick(iptables=f"add: {rule}", nft=f"add to {base}: {rule}")


def at_the_top(share: Decider, base: str, *remedies: Suggestion) -> str:
    """Where several rules decide now."""
    ruleset, chain = share.analysis.ruleset, share.analysis.table.chains.get(base)
    if chain is not None and chain.rules and puts_itself_first(ruleset, chain.rules[0]):
        return behind_first(chain.rules[0], base, ruleset, share.analysis.table, *remedies)
    where = f"before the first rule of {base}" if ruleset.script else f"at the top of {base}"
    rules = dict.fromkeys(each.into(base, ruleset, share.analysis.table) for each in remedies)
    return f"add {where}: {'; '.join(rules)}"


def puts_itself_first(ruleset: Ruleset, rule: Rule) -> bool:
    """Whether a command of a script puts the rule above those that were added before it (-I)."""
    steps = ruleset.script.steps if ruleset.script else ()
    return any(
        step.span == rule.origin.span and not _INSERTING.isdisjoint(step.words) for step in steps
    )


_INSERTING = frozenset(("-I", "--insert"))


def behind_first(
    rule: Rule, base: str, ruleset: Ruleset, table: Table, *remedies: Suggestion
) -> str:
    """What is to come before a rule that puts itself first has to be put there later."""
    rules = [each.into(base, ruleset, table).replace(" -A ", " -I ", 1) for each in remedies]
    line = rule.origin.span.line
    return f"add behind line {line}, which puts its rule at the top: " + "; ".join(
        dict.fromkeys(reversed(rules))
    )


def against_others(hooks: Hooks, hook: Hook, packets: PacketSet) -> str:
    """What is to be done besides where what no rule is for is accepted: a rule for some lets the
    others go on to that."""
    coming = hooks.space.project(packets, Field.IIF)
    open_end = (accepted_by_default(hooks, hook) & coming).satisfiable()
    return " and deny the others, whom no rule would stop" if open_end else ""
