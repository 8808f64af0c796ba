"""A rule names a host, which is looked up once, when the rules are loaded.

## What it does
Finds host names where a rule wants an address: behind `-s` and `-d`, in nft's `ip saddr`,
`ip daddr` and their sets, and behind `dnat to`. Names that every host has in /etc/hosts, such as
localhost, are fine.

## Why it matters
At boot rules are loaded before the network is up. Then the lookup fails, the whole file is
refused, and the host starts without a firewall. Later the address behind the name changes, and
the rule still lets the old one in.

## Example
```
*filter
-A INPUT -s office.example.org -p tcp --dport 22 -j ACCEPT
COMMIT
```

## Fix
Write the address: `-s 203.0.113.10`. Where it changes, let the rule ask for a set (`-m set
--match-set office src`, `ip saddr @office`) that a timer fills with what the name stands for.

## When it is wrong
Where the name is in /etc/hosts of the host that loads the rules.

## References
- iptables(8), `--source`: "specifying any name to be resolved with a remote query such as DNS is a
  really bad idea": https://man7.org/linux/man-pages/man8/iptables.8.html
- nftables, src/datatype.c, ipaddr_type_parse(): one address, or the file is refused
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.findings.phrases import MAX_LABELS
from iptlint.model import AnyOf, Match, Opaque, Rule, Ruleset
from iptlint.model.kinds import rules_testing
from iptlint.model.matches import HostName
from iptlint.model.names import is_in_hosts
from iptlint.rules.meta import Group, Meta
from iptlint.source import SourceFile, Span

META = Meta(
    code="IPT306",
    name="hostname-in-rule",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.LOCKOUT,
    since="0.1.0",
)


class _Use(NamedTuple):
    """A name, and where it is written."""

    name: str
    span: Span


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        by_name: dict[tuple[SourceFile, str], dict[Span, _Use]] = {}
        for rule in _by_name(ruleset):
            for use in _uses(ruleset, rule):
                if ruleset.syntax.is_placeholder(use.span):
                    continue  # the reader says so
                key = use.span.source, use.name.lower()
                by_name.setdefault(key, {}).setdefault(use.span, use)
        for uses in by_name.values():
            yield _finding(ruleset, list(uses.values()))


def _by_name(ruleset: Ruleset) -> Iterator[Rule]:
    """The rules that name a host."""

    def names(rule: Rule) -> bool:
        needed = any(isinstance(need, HostName) for need in rule.verdict.needs)
        return needed or any(name for match in rule.matches for name in _names(match))

    return (rule for table in ruleset.tables for _, rule in rules_testing(table, names))


def _uses(ruleset: Ruleset, rule: Rule) -> Iterator[_Use]:
    for number, match in enumerate(rule.matches):
        for name in _names(match):
            if not is_in_hosts(name):
                yield _use(ruleset, name, rule.origin.part(number))
    for need in rule.verdict.needs:
        if isinstance(need, HostName) and not is_in_hosts(need.name):
            yield _use(ruleset, need.name, rule.origin.part(-1))


def _names(match: Match) -> Iterator[str]:
    match match:
        case Opaque(asks=HostName(name)):
            yield name
        case AnyOf(alternatives):
            for alternative in alternatives:
                for test in alternative:
                    yield from _names(test)


def _use(ruleset: Ruleset, name: str, part: Span) -> _Use:
    """Where the name is written: in the rule, or in a define; else the rule that uses its set."""
    defines = (define.origin.span for define in ruleset.defines)
    places = (ruleset.syntax.find_name(span, name) for span in (part, *defines))
    return _Use(name, next(filter(None, places), part))


def _finding(ruleset: Ruleset, uses: Sequence[_Use]) -> Finding:
    first, *others = uses
    labels = [Label(use.span, "here too") for use in others[:MAX_LABELS]]
    if len(others) > len(labels):
        labels[-1] = Label(labels[-1].span, f"here too … and {len(others) - len(labels)} more")
    is_placeholder = _PLACEHOLDER.fullmatch(first.span.text) is not None
    if is_placeholder:
        written = first.span.text
        message = (
            f"{written} looks like a placeholder: if no host has that name, {_what_fails(ruleset)}"
        )
        advice = "write the address that it stands for"
    elif _TO_BE_FILLED_IN.fullmatch(first.name):
        message = f"{first.name} is no address, and no name either: {_what_fails(ruleset)}"
        advice = "write the address that it stands for"
    else:
        message = (
            f"{first.name} is looked up once, when the rules are loaded: {_refusal(ruleset)}, "
            "and the rule keeps the old address when the name gets another"
        )
        advice = f"write the address that this prints: getent ahosts {first.name}"
    return META.finding(
        first.span,
        message,
        advice,
        related=tuple(labels),
        likeness="placeholder" if is_placeholder else "name",
    )


_TO_BE_FILLED_IN = re.compile(r"(?:(?:\d{1,3}|[xX]{1,3}|[A-Za-z])(?:\.(?!$)|$)){4}", re.ASCII)
"""``x.x.x.x``, ``192.168.1.xxx``: where somebody wanted an address."""

_PLACEHOLDER = re.compile(
    r"[A-Z0-9]+(?:_[A-Z0-9]+)+|__[A-Z0-9_]+__|(?:YOUR|MY)(?:-[A-Z0-9]+)+|(?:[A-Z0-9]+-)+HERE"
)
"""``YOUR_IP``, ``OFFICE_NET``, ``__MGMT__``, ``YOUR-IP-HERE``: nobody calls a host so, but the
resolver may know one."""


def _what_fails(ruleset: Ruleset) -> str:
    if ruleset.script is not None:
        return "the command fails, and there is no such rule"
    return f"{ruleset.syntax.pick(iptables='iptables-restore', nft='nft')} refuses the whole file"


_MAYBE_AT_BOOT = "(at boot the network may not be up yet)"


def _refusal(ruleset: Ruleset) -> str:
    """What becomes of a lookup that fails."""
    if ruleset.script is not None:
        return f"the command fails if that does {_MAYBE_AT_BOOT}, so the rule is missing"
    return ruleset.syntax.pick(
        iptables=f"iptables-restore refuses the whole file if that fails {_MAYBE_AT_BOOT}",
        nft=f"nft refuses the whole file if that fails {_MAYBE_AT_BOOT} or finds several addresses",
    )
