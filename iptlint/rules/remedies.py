"""Rules that a finding proposes, in the language of the file it is about."""

from __future__ import annotations

from dataclasses import dataclass

from iptlint.model import Chain, Ruleset
from iptlint.netfilter.deciders import Decider


@dataclass(frozen=True, slots=True)
class Remedy:
    """One rule in both languages; ``iptables`` is what follows ``-A CHAIN``."""

    iptables: str
    nft: str

    def into(self, chain: str, ruleset: Ruleset) -> str:
        return self.nft if ruleset.is_nft else f"-A {chain} {self.iptables}"


ESTABLISHED = Remedy(
    "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT", "ct state established,related accept"
)
UNTRACKED = Remedy("-m conntrack --ctstate UNTRACKED -j ACCEPT", "ct state untracked accept")
RELATED = Remedy("-m conntrack --ctstate RELATED -j ACCEPT", "ct state related accept")
LOOPBACK_IN = Remedy("-i lo -j ACCEPT", 'iifname "lo" accept')
LOOPBACK_OUT = Remedy("-o lo -j ACCEPT", 'oifname "lo" accept')


def accept_ssh(port: int, source: str | None = None, *, six: bool = False) -> Remedy:
    """``source``: an address or network that the rule is for; everybody where it is None."""
    here = f"-s {source} " if source else ""
    nft = f"ip{'6' * six} saddr {source} " if source else ""
    return Remedy(
        f"{here}-p tcp -m tcp --dport {port} -m conntrack --ctstate NEW -j ACCEPT",
        f"{nft}tcp dport {port} ct state new accept",
    )


def first(decider: Decider, base: str, remedy: Remedy) -> str:
    """Where to add the rule, so that it comes before what decides now."""
    ruleset = decider.walk.ruleset
    rule = remedy.into(base, ruleset)
    if decider.chain.name != base:
        return f"add at the top of {base}: {rule}"
    if decider.rule is not None:
        return f"add before it: {rule}"
    return f"add to {base}: {rule}" if ruleset.is_nft else f"add: {rule}"


def drop_policy(chain: Chain, ruleset: Ruleset) -> str:
    """The line that makes the chain deny what no rule accepts."""
    return "policy drop;" if ruleset.is_nft else f":{chain.name} DROP [0:0]"
