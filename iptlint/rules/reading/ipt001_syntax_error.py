"""The text is not in the language it should be in.

## What it does
Reports text that no dialect accepts, at its line and column, with what was expected there
and, where a known word is near, what was probably meant. The rest of the file is still
linted. Text that is something else altogether (an `iptables -L` listing, firewalld XML, a
compressed file) is answered with the command that prints what is needed.

## Why it matters
`iptables-restore` stops at the first line it does not understand and loads nothing of that
table. At boot that leaves the host with the rules it had: none.

## Example
```
*filter
-A INPUT -p tcp --dprot 22 -j ACCEPT
COMMIT
```

## Fix
Write what the tool reads: `--dport 22`. `iptables-restore --test FILE` says whether the
installed version takes the file.

## When it is wrong
Where the real tool reads the line without complaint. That is a bug of iptlint: please
report it with the line. An extension that iptlint has never heard of is no syntax error
(IPT002).

## References
- iptables-restore(8): https://man7.org/linux/man-pages/man8/iptables-restore.8.html
- iptables(8): https://man7.org/linux/man-pages/man8/iptables.8.html
"""

from __future__ import annotations

from collections.abc import Iterator

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Severity
from iptlint.rules.meta import Group, Meta

META = Meta(
    code="IPT001",
    name="syntax-error",
    severity=Severity.ERROR,
    confidence=Confidence.CERTAIN,
    group=Group.READING,
    since="0.1.0",
    fixable=True,
    unfinished=True,
)


def check(context: Context) -> Iterator[Finding]:
    """These findings are made while the text is read."""
    return iter(())
