"""Rules that decide nothing: without them every packet fares as it did, and only what they count,
log or tell other programs is missing."""

from __future__ import annotations

from collections.abc import Iterable

from iptlint.convert.rule import uses_of
from iptlint.dialects.iptables.lowering.origins import RuleOrigin
from iptlint.dialects.iptables.lowering.parts import CoreCell
from iptlint.model import Rule, Ruleset, VerdictKind

_LOOKS = frozenset(
    (
        *("addrtype", "ah", "bpf", "cgroup", "comment", "cpu", "dccp", "devgroup", "dscp", "dst"),
        *("ecn", "esp", "eui64", "frag", "hbh", "hl", "icmp", "icmp6", "ipcomp", "iprange"),
        *("ipv6header", "length", "limit", "mac", "mark", "mh", "multiport", "osf", "owner"),
        *("pkttype", "policy", "quota", "rateest", "realm", "rt", "sctp", "srh", "statistic"),
        *("string", "tcp", "tcpmss", "time", "tos", "ttl", "u32", "udp"),
    )
)
"""Matches that write nothing and count for their own rule at most. Not here are those that make the
kernel do more for all packets once a rule has them: what asks for connections has them tracked, and
physdev shows the packets of bridges to iptables (br_netfilter_enable of xt_physdev.c). A name that
rules share (recent, hashlimit, set) is asked again elsewhere, and cluster writes how a packet came
(xt_cluster.c)."""

_TELLS = {
    "CHECKSUM": "the checksum",
    "IDLETIMER": "what it tells programs",
    "LED": "its light",
    "LOG": "its log",
    "NFLOG": "its log",
    "ULOG": "its log",
    "RATEEST": "the rate, for which no match of these files asks,",
}
"""Targets after which a packet goes on as it was (xt_CHECKSUM.c, xt_IDLETIMER.c, xt_LED.c,
xt_LOG.c, xt_RATEEST.c), and what is missing without them."""
_COUNT = "its count"
_LOGS = {"osf": "its count and its log"}


def what_is_missing(rule: Rule, *, estimated: bool) -> str | None:
    """What there is no more without the rule; None where it may decide something. ``estimated``:
    a match asks for the rates that RATEEST measures."""
    origin = rule.origin
    if not rule.read or not isinstance(origin, RuleOrigin):
        return None
    if rule.verdict.kind is not VerdictKind.CONTINUE or rule.verdict.chain is not None:
        return None
    target, cells = origin.plan.target, origin.plan.cells
    beside = [each for each in cells if each is not target and not isinstance(each, CoreCell)]
    names = [cell.extension.name for cell in beside]
    if not {*names} <= _LOOKS:
        return None
    if target is None:
        return next((_LOGS[each] for each in names if each in _LOGS), _COUNT)
    name = target.extension.name
    return None if name == "RATEEST" and estimated else _TELLS.get(name)


def asks_for_rates(rulesets: Iterable[Ruleset]) -> bool:
    return any(
        True
        for ruleset in rulesets
        for _, _, rule in ruleset.rules()
        for _ in uses_of(rule, "rateest")
    )
