"""A policy test fails: the rules do not do what somebody said they should.

## What it does
`iptlint test` proves the sentences of `iptlint.tests.toml` for every packet, over both address
families and through translation. Each sentence that does not hold is a finding of this code, with
an example packet and the line that decides.

## Why it matters
A sentence in a test file is what somebody wants of the firewall. Where the rules say otherwise,
one of the two is wrong.

## Example
```
$ iptlint test rules.v4
FAILED  deny from internet to 5432
        over IPv4: rules.v4:12 accepts it to this host
```

## Fix
The finding names the least change that was found and proved; else change the line that it names,
or the sentence.

## When it is wrong
Where a zone says less than is known: name the interfaces that the internet comes in by,
`[zones] internet = { interfaces = ["eth0"] }`. What only a limit or an unknown set decides is no
failure of a test with `allow-possible = true`.

## References
- How tests are written: docs/test.md
"""

from __future__ import annotations

from collections.abc import Iterator

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Severity
from iptlint.rules.meta import Group, Meta

META = Meta(
    code="IPT609",
    name="policy-test",
    severity=Severity.ERROR,
    confidence=Confidence.CERTAIN,
    group=Group.EXPOSURE,
    since="0.1.0",
)


def check(context: Context) -> Iterator[Finding]:
    """The command that judges tests makes these findings."""
    return iter(())
