"""A limit cut the work short.

## What it does
Says what was not analysed because the input is too large, too deeply nested or too
entangled for the room the analysis may take.

## Why it matters
What was not looked at may be wrong. A linter that skips work in silence is believed where
it should not be.

## Example
```
rules.v4:1:1: warning IPT010 input-limit: this file is longer than 64 MiB; none of it was checked
```

## Fix
Lint the tables one by one, or move long lists of addresses into an ipset: one rule with a
set takes the place of thousands.

## When it is wrong
It is never wrong, but it may be of no interest: `--ignore IPT010`.

## References
- ipset(8): https://man7.org/linux/man-pages/man8/ipset.8.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Severity
from iptlint.rules.meta import Group, Meta
from iptlint.source import SourceFile

META = Meta(
    code="IPT010",
    name="input-limit",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.READING,
    since="0.1.0",
    unfinished=True,
)


def check(context: Context) -> Iterator[Finding]:
    """Made where a limit is hit: while reading, and where the analysis runs out of room."""
    return iter(())


def out_of_room(source: SourceFile, limit: str, missing: Sequence[str]) -> Finding:
    """That ``limit`` was not enough, so that ``missing`` (rules, by code) are not all there."""
    return META.finding(
        source.line_span(1),
        f"{limit} was not enough, so {', '.join(missing)} did not look at everything",
        "lint the files or tables one by one, or move long lists of addresses into a set",
    )


def cut_short(source: SourceFile, limit: str, what: str) -> Finding:
    """That ``limit`` was not enough for ``what`` has to come before all questions."""
    return META.finding(
        source.line_span(1),
        f"{limit} was not enough for {what}, and nothing that it would have said is known",
        "lint its tables one by one",
    )


def not_enough(limit: str, what: str) -> str:
    """The same in one line, for a command that asks one question: ``what`` is "to compare …"."""
    return f"{META.code}: {limit} was not enough {what}"


def left_out(shown: Sequence[Finding], hidden: Sequence[Finding]) -> Finding:
    """That of so many findings only some are shown."""
    codes = ", ".join(f"{n} of {code}" for code, n in Counter(f.code for f in hidden).items())
    return META.finding(
        hidden[0].span,
        f"{len(shown)} of {len(shown) + len(hidden)} findings are shown (--max-findings); the"
        f" others: {codes}",
        "mend what is shown first, or look at some rules at a time: --select",
    )
