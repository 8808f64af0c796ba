"""What is said of the rules of a host for IPv4 and, in the same words, of those for IPv6.

Two files of one name but for the family, the commands of a script for both, two tables of nft: who
mends the one mends the other, so it is told once.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePath

from iptlint.findings.finding import Finding, Label
from iptlint.model.names import is_of_ipv6, without_family

_TOOL = re.compile(r"^(?:sudo\s+)?(?:\S*ip6?tables[\w-]*|\"?\$\{?\w+\}?\"?)\s+")
_SAME = (
    (re.compile(r"\bicmpv6|ipv6-icmp|icmp6\b"), "icmp"),
    (re.compile(r"\[\d+:\d+\]$"), ""),
    (re.compile(r"(?<!\S)(?:0\.0\.0\.0|::)/0(?!\S)"), "any"),
)
_OVER = re.compile(r"^over IPv([46]), ")
_NUMBER = re.compile(r"\d+")


def mirrored(findings: Iterable[Finding]) -> list[Finding]:
    """The first of two findings of which one is of IPv4 and the other the same of IPv6 stands for
    both. The order stays."""
    findings = tuple(findings)
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, finding in enumerate(findings):
        groups[_key(finding)].append(number)
    twins = {
        numbers[0]: numbers[1]
        for numbers in groups.values()
        if len(numbers) == 2 and len({_is_of_ipv6(findings[number]) for number in numbers}) == 2
    }
    seconds = frozenset(twins.values())
    return [
        _together(finding, findings[twins[number]]) if number in twins else finding
        for number, finding in enumerate(findings)
        if number not in seconds
    ]


def _key(finding: Finding) -> tuple[str, ...]:
    """What both have in common, and no others."""
    path = PurePath(finding.span.source.path)
    message = _NUMBER.sub("#", _OVER.sub("", finding.message))
    return finding.code, str(path.parent), without_family(path.name), _rule(finding), message


def _rule(finding: Finding) -> str:
    text = _TOOL.sub("", finding.span.text)
    for pattern, instead in _SAME:
        text = pattern.sub(instead, text)
    return text


def _is_of_ipv6(finding: Finding) -> bool:
    over, tool = _OVER.match(finding.message), _TOOL.match(finding.span.text)
    if over is not None:
        return over[1] == "6"
    if finding.witness is not None and finding.witness.family == "ip6":
        return True
    by_ip6tables = tool is not None and "6" in tool[0]
    return by_ip6tables or is_of_ipv6(PurePath(finding.span.source.path).name)


def _together(first: Finding, second: Finding) -> Finding:
    family = 6 if _is_of_ipv6(second) else 4
    source, line = second.span.source, second.span.line
    place = (
        f"line {line}" if source is first.span.source else f"{PurePath(source.path).name}:{line}"
    )
    alike = (each for each in second.related if each.message.startswith("likewise"))
    return replace(
        first,
        severity=min((first, second), key=lambda each: each.severity.rank).severity,
        message=f"{first.message.rstrip('.')}; the same over IPv{family} at {place}",
        related=(*first.related, Label(second.span, f"likewise over IPv{family}"), *alike),
    )
