"""``reject``: with what, and which packets nft then lets it see."""

from __future__ import annotations

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering.canonical_text import spelled
from iptlint.dialects.nft.lowering.datatypes import ICMP_CODE, ICMPV6_CODE, ICMPX_CODE
from iptlint.dialects.nft.lowering.operands import constant
from iptlint.dialects.nft.lowering.statement_result import Matches, RuleScope, StatementResult
from iptlint.dialects.verdict_words import answer
from iptlint.model import Family, Field, Verdict, VerdictKind, Within
from iptlint.model.matches import PACKET_FAMILIES
from iptlint.model.protocols import TCP

_Names = dict[int, str]

_ICMP: _Names = {
    0: "icmp-net-unreachable",
    1: "icmp-host-unreachable",
    2: "icmp-proto-unreachable",
    9: "icmp-net-prohibited",
    10: "icmp-host-prohibited",
    13: "icmp-admin-prohibited",
}
_ICMPV6: _Names = {
    0: "icmp6-no-route",
    1: "icmp6-adm-prohibited",
    3: "icmp6-addr-unreachable",
    5: "icmp6-policy-fail",
    6: "icmp6-reject-route",
}
_ICMPX: dict[Family, _Names] = {
    Family.IP: {code: _ICMP[same] for code, same in ((0, 0), (2, 1), (3, 13))},
    Family.IP6: {code: _ICMPV6[same] for code, same in ((0, 0), (2, 3), (3, 1))},
}
"""What icmpx stands for in a table of one family (nft_reject.c)."""
_DEFAULTS = {"icmp": 3, "icmpv6": 4, "icmpx": 1}
"""Port unreachable, which iptables does not print and ``reject`` alone means."""
_TYPES = {"icmp": ICMP_CODE, "icmpv6": ICMPV6_CODE, "icmpx": ICMPX_CODE}

_FAMILIES = {"icmp": "ip", "icmpv6": "ip6"}


def reject(statement: t.Reject, scope: RuleScope) -> StatementResult:
    """The options are spelled as iptables spells them, where it can say the same."""
    options = _options(statement, scope)
    words = answer(options.removeprefix("--reject-with "))
    return StatementResult(
        front=_demands(statement.protocol, scope.lowering.table.family),
        verdict=Verdict(VerdictKind.REJECT, "reject", None, options, words=words),
    )


def _demands(protocol: str | None, family: Family) -> Matches:
    """What nft looks for before all other statements, if the rule did not ask yet."""
    if protocol == "tcp":
        return (Within(Field.PROTO, ((TCP, TCP),)),)
    if protocol not in _FAMILIES or family in (Family.IP, Family.IP6):
        return ()
    number = PACKET_FAMILIES.index(_FAMILIES[protocol])
    return (Within(Field.FAMILY, ((number, number),)),)


def _options(statement: t.Reject, scope: RuleScope) -> str:
    protocol, reason = statement.protocol, statement.reason
    if protocol == "tcp":
        return "--reject-with tcp-reset"
    if protocol is None or reason is None:
        return ""
    code = constant(reason, _TYPES[protocol])
    if code == _DEFAULTS[protocol]:
        return ""
    family = scope.lowering.table.family
    names = {"icmp": _ICMP, "icmpv6": _ICMPV6, "icmpx": _ICMPX.get(family, {})}[protocol]
    known = None if code is None else names.get(code)
    return f"--reject-with {known or f'{protocol} {spelled(reason)}'}"
