"""A rule asks for the state of a connection by `-m state`, the old name of `-m conntrack`.

## What it does
Reports rules of iptables with `-m state --state`, once for a file that has many of them, and
prints the line with `-m conntrack --ctstate` instead.

## Why it matters
`state` is a mere alias of `conntrack` for many years now, kept so that old files load. It knows
neither SNAT, DNAT nor the direction of a packet, and two spellings of one test hide that two
rules are the same.

## Example
```
*filter
-A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT
COMMIT
```

## Fix
```
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
```

## When it is wrong
Nothing breaks: both names do the same. A file that very old systems load too may need `state`.

## References
- iptables-extensions(8), "state": a subset of "conntrack":
  https://man7.org/linux/man-pages/man8/iptables-extensions.8.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from iptlint.analysis.connections import tests_state, user_rules
from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Severity
from iptlint.model import Rule
from iptlint.rules.meta import Group, Meta
from iptlint.source import Span

META = Meta(
    code="IPT206",
    name="state-alias",
    severity=Severity.INFO,
    confidence=Confidence.CERTAIN,
    group=Group.STATE,
    since="0.1.0",
    pedantic=True,
)

_OPTION = re.compile(r"(?:!\s*)?--s")
"""How ``--state`` starts, which may be abbreviated; ``--ctstate`` does not."""

_WORDS = re.compile(
    r"""(?P<quoted>"(?:[^"\\]|\\.)*"|'[^']*')|(?P<match>(?<!\S)(?:-m\s*|--match[\s=]+))state(?!\S)"""
    r"|(?P<option>(?<!\S)--)st(?:a(?:te?)?)?(?=[\s=])"
)


def check(context: Context) -> Iterator[Finding]:
    for analysis in context.analyses():
        if analysis.ruleset.is_nft:
            continue
        for _, rule in user_rules(analysis):
            span = _alias(rule)
            if span is not None:
                yield META.finding(
                    span,
                    "`-m state` is the old name of `-m conntrack`",
                    f"write: {_renamed(rule.statement.span.text).strip()}",
                    likeness="alias",
                )


def _alias(rule: Rule) -> Span | None:
    """The test by its old name."""
    for number, match in enumerate(rule.matches):
        if tests_state(match):
            span = rule.origin.part(number)
            if _OPTION.match(span.text) or _WORDS.match(span.text):
                return span
    return None


def _renamed(text: str) -> str:
    return _WORDS.sub(_new_name, text)


def _new_name(found: re.Match[str]) -> str:
    if found["quoted"]:
        return found[0]
    return f"{found['match']}conntrack" if found["match"] else f"{found['option']}ctstate"
