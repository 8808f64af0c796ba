"""An extension that iptlint does not know was kept as it is.

## What it does
Names a match, a target or an option of an extension that is not in iptlint's tables. The
test is kept as one that may or may not hold, equal wherever it is written the same way; an
unknown target may do anything. Of nft listings, it names the iptables matches that nft prints
without what they ask (`xt match "recent"`). Of scripts, it says once which commands depend on what
is known only when they run (not of the name of an interface, nor of who is in a set: these any host
may have otherwise), and which words they are not read with (`panic`), but for those that take away
what the script made (`stop`, `restart`): the last lines of the report name these. And which stand
below an `exit` that ends the script in any case.

## Why it matters
Every conclusion stays sound, but some are weaker: a rule behind an unknown target is never
called unreachable.

## Example
```
*filter
-A INPUT -m acme --level 3 -j ACCEPT
COMMIT
```

## Fix
Check the spelling. If the extension exists, ask for it to be added: it is one row of a
table.

## When it is wrong
Where the extension is an out-of-tree module that you load on purpose. Then
`--ignore IPT002` is right.

## References
- iptables-extensions(8): https://man7.org/linux/man-pages/man8/iptables-extensions.8.html
"""

from __future__ import annotations

from collections.abc import Iterator

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Severity
from iptlint.rules.meta import Group, Meta

META = Meta(
    code="IPT002",
    name="unknown-construct",
    severity=Severity.INFO,
    confidence=Confidence.CERTAIN,
    group=Group.READING,
    since="0.1.0",
)


def check(context: Context) -> Iterator[Finding]:
    """These findings are made while the text is read."""
    return iter(())
