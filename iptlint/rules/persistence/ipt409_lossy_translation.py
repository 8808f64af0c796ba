"""A rule that iptables-restore-translate could not translate is left as a comment.

## What it does
Reports the comments that iptables-restore-translate writes for rules which it has no words for:
`# -t filter -A INPUT -m string …` among the rules it did translate.

## Why it matters
The tool says nothing, ends with success, and nft loads the file. The rule is gone: what it dropped
passes, what it accepted is dropped.

## Example
```
# Translated by iptables-restore-translate v1.8.9 on Sat May  4 10:00:00 2024
add table ip filter
add chain ip filter INPUT { type filter hook input priority 0; policy accept; }
# -t filter -A INPUT -p tcp -m tcp --dport 22 -m recent --update --seconds 60 -j DROP
add rule ip filter INPUT tcp dport 22 counter accept
```

## Fix
Write the rule by hand in its place, and delete the comment. nft has dynamic sets for `recent`,
`set`, `hashlimit` and `connlimit`; payload expressions (`@th,64,32`) for `u32`; and nothing for
`string`. `iptlint diff old.v4 new.nft` shows what is still missing.

## When it is wrong
Where the rule was written by hand since and the comment was kept. In a file without the tool's
first line, and where it is indented (the tool writes it at the margin), a comment of this form
is only a possible finding.

## References
- iptables-restore-translate(8): https://man7.org/linux/man-pages/man8/xtables-translate.8.html
- print_ipt_cmd in iptables/xtables-translate.c of iptables
"""

from __future__ import annotations

from collections.abc import Iterator

from iptlint.analysis.includes import sources
from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Severity
from iptlint.model.syntax import LostRule
from iptlint.rules.meta import Group, Meta

META = Meta(
    code="IPT409",
    name="lossy-translation",
    severity=Severity.ERROR,
    confidence=Confidence.CERTAIN,
    group=Group.PERSISTENCE,
    since="0.1.0",
)

_HAND_WRITTEN = Confidence.POSSIBLE


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        for source in sources(ruleset):
            yield from map(_finding, ruleset.syntax.lost_rules(source))


def _finding(lost: LostRule) -> Finding:
    name = f"{lost.target} rule" if lost.target else "rule"
    return META.finding(
        lost.span,
        f"a {name} of {lost.chain} in the {lost.table} table was lost: the translation from"
        " iptables left it as a comment, which does nothing",
        "write it by hand in the language of nft, then delete the comment",
        confidence=None if lost.certain else _HAND_WRITTEN,
        likeness=f"lost {lost.certain}",
    )
