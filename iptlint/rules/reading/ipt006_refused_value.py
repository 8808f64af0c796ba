"""A value is well formed, yet the tool or the kernel refuses or changes it.

## What it does
Reports what parses but cannot be: a port range whose ends are the wrong way round, more
than 15 ports in one multiport test (a range takes two), a log prefix or an interface or
chain name that is too long, a target in a table or chain where the kernel forbids it, options
that do not go together, and whatever else `iptlint loads` says that the tool or the kernel
refuses. It warns of what is taken as something else, and says what it becomes: a log prefix is
cut, `! --dport 0:65535` is printed as no test at all; and of what only one of iptables-legacy and
iptables-nft refuses. It is possible where a file of nft deletes or empties a table that it makes
only below: then it is refused wherever nothing else has made the table, as after a boot.

## Why it matters
The load fails as a whole, at boot, or worse: it succeeds with a rule that is not the one
you wrote.

## Example
```
*filter
-A INPUT -p tcp --dport 2000:1000 -j ACCEPT
COMMIT
```

## Fix
Write a value the kernel takes: `--dport 1000:2000`. The message names the limit.

## When it is wrong
Where your version of the tool or kernel has a wider limit than those iptlint was checked
against.

## References
- iptables-extensions(8): https://man7.org/linux/man-pages/man8/iptables-extensions.8.html
- include/uapi/linux/netfilter/xt_multiport.h (`XT_MULTI_PORTS`), include/uapi/linux/if.h
  (`IFNAMSIZ`), include/uapi/linux/netfilter/x_tables.h (`XT_EXTENSION_MAXNAMELEN`)
"""

from __future__ import annotations

from collections.abc import Iterator

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Severity
from iptlint.findings.fix import Fix
from iptlint.rules.meta import Group, Meta
from iptlint.source import Span

META = Meta(
    code="IPT006",
    name="refused-value",
    severity=Severity.ERROR,
    confidence=Confidence.CERTAIN,
    group=Group.READING,
    since="0.1.0",
    fixable=True,
)


def check(context: Context) -> Iterator[Finding]:
    """These findings are made while the text is read, and while it is loaded on trial."""
    return iter(())


def refused(
    span: Span,
    cause: str,
    mend: str,
    severity: Severity | None = None,
    fix: Fix | None = None,
) -> Finding:
    """That the tool or the kernel does not take the text of the span."""
    return META.finding(span, cause, mend, likeness=cause, severity=severity, fix=fix)
