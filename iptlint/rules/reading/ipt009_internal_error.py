"""A rule of the linter crashed.

## What it does
Names the rule of iptlint that failed on this input and the exception it failed with. All
other rules have run, and the exit status is 2.

## Why it matters
What the rule would have found is not known: the absence of its findings means nothing.

## Example
```
rules.v4:1:1: error IPT009 internal-error: IPT101 failed: KeyError: 'INPUT'
```

## Fix
Report it as a bug with the smallest file that shows it. Until it is mended, `--ignore` with
the code of the failing rule.

## When it is wrong
It is never wrong: something failed.

## References
- How to report it: CONTRIBUTING.md
"""

from __future__ import annotations

from collections.abc import Iterator

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Severity
from iptlint.rules.meta import Group, Meta
from iptlint.source import SourceFile

META = Meta(
    code="IPT009",
    name="internal-error",
    severity=Severity.ERROR,
    confidence=Confidence.CERTAIN,
    group=Group.READING,
    since="0.1.0",
    unfinished=True,
)


def check(context: Context) -> Iterator[Finding]:
    """The linter makes these findings, of rules that crash."""
    return iter(())


def crashed(source: SourceFile, what: str, crash: BaseException) -> Finding:
    """That ``what`` the linter was at failed."""
    return META.finding(
        source.line_span(1),
        f"{what} failed: {type(crash).__name__}: {crash}",
        "this is a bug of iptlint: please report it with the smallest file that shows it",
    )
