"""Rules that a finding proposes, in the language of the file it is about."""

from __future__ import annotations

from iptlint.analysis.shares import Share
from iptlint.model import Family
from iptlint.model.syntax import Suggestion

ESTABLISHED = Suggestion(
    "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT", "ct state established,related accept"
)
UNTRACKED = Suggestion("-m conntrack --ctstate UNTRACKED -j ACCEPT", "ct state untracked accept")
RELATED = Suggestion("-m conntrack --ctstate RELATED -j ACCEPT", "ct state related accept")
LOOPBACK_IN = Suggestion("-i lo -j ACCEPT", 'iifname "lo" accept')
LOOPBACK_OUT = Suggestion("-o lo -j ACCEPT", 'oifname "lo" accept')
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


def first(share: Share, base: str, remedy: Suggestion) -> str:
    """Where to add the rule, so that it comes before what decides now."""
    ruleset = share.analysis.ruleset
    rule = remedy.into(base, ruleset, share.analysis.table)
    if share.chain.name != base:
        where = f"before the first rule of {base}" if ruleset.script else f"at the top of {base}"
        return f"add {where}: {rule}"
    if share.rule is not None:
        return f"add before it: {rule}"
    return ruleset.syntax.pick(iptables=f"add: {rule}", nft=f"add to {base}: {rule}")
