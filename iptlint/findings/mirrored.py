"""What is said of the rules of a file for IPv4 and, in the same words, of those for IPv6.

The commands of a script for both, two tables of nft, two files beside each other: who mends the one
mends the other, so it is told once. So are the placeholders of two such templates.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from iptlint.findings.finding import Finding, Label

_TOOL = re.compile(r"^(?:sudo\s+)?(?:\S{0,200}ip6?tables[\w-]*|\"?\$\{?\w+\}?\"?)\s+")
_SAME = (
    (re.compile(r"\bicmpv6|ipv6-icmp|icmp6\b"), "icmp"),
    (re.compile(r"\[\d+:\d+\]$"), ""),
    (re.compile(r"(?<!\S)(?:0\.0\.0\.0|::)/0(?!\S)"), "any"),
)
_SECOND_FILE = (
    (re.compile(r"ip6tables"), "iptables"),
    (re.compile(r"(?<![A-Za-z0-9])((?:ip)?)v6(?![A-Za-z0-9])"), r"\1v4"),
    (re.compile(r"(?<=[a-z])6(?=\.rules|\.j2|\.conf|$)"), ""),
)
"""How the name of a file for IPv6 differs from that of the one for IPv4."""
_PLACEHOLDER = re.compile(r"`[^`]*` is a placeholder of this template")
_SHOWN = 5
_LIKEWISE = re.compile(r"; likewise .*", re.DOTALL)
_OVER = re.compile(r"^over IPv([46]), ")
_NUMBER = re.compile(r"\d+")


def mirrored(findings: Iterable[Finding]) -> list[Finding]:
    """The first of two findings of which one is of IPv4 and the other the same of IPv6 stands for
    both. The order stays."""
    findings = tuple(_of_all_templates(findings))
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


def _of_all_templates(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Of the placeholders of several templates of a host the first: who has the one read has the
    others."""
    every = tuple(findings)
    told = [each for each in every if _PLACEHOLDER.match(each.message)]
    if len(told) < 2:
        yield from every
        return
    first, *others = told
    more = f"{len(others)} more file{'s' * (len(others) > 1)}"
    labels = (Label(each.span, "likewise") for each in others[:_SHOWN])
    message = f"{first.message}; so in {more}"
    for each in every:
        if each is first:
            yield replace(first, message=message, related=(*first.related, *labels))
        elif not any(each is other for other in others):
            yield each


def _key(finding: Finding) -> tuple[str, ...]:
    """What both have in common, and no others."""
    path = _of_first_file(finding.span.source.path)
    message = _NUMBER.sub("#", _OVER.sub("", _LIKEWISE.sub("", finding.message)))
    return finding.code, path, _rule(finding), message


def _of_first_file(path: str) -> str:
    *folders, name = path.split("/")
    for pattern, instead in _SECOND_FILE:
        name = pattern.sub(instead, name)
    return "/".join((*folders, name))


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
    if finding.span.source.path != _of_first_file(finding.span.source.path):
        return True
    return tool is not None and "6" in tool[0]


def _together(first: Finding, second: Finding) -> Finding:
    family, place = 6 if _is_of_ipv6(second) else 4, f"line {second.span.line}"
    if second.span.source is not first.span.source:
        place += f" of {second.span.source.path.rpartition('/')[2]}"
    alike = (each for each in second.related if each.message.startswith("likewise"))
    return replace(
        first,
        severity=min((first, second), key=lambda each: each.severity.rank).severity,
        message=f"{first.message.rstrip('.')}; the same over IPv{family} at {place}",
        related=(*first.related, Label(second.span, f"likewise over IPv{family}"), *alike),
    )
