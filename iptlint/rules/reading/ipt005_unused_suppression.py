"""A suppression comment hides no finding, names a rule that does not exist, or is none.

## What it does
Reports each `# iptlint: ignore` comment that hid nothing in this run, and each code in one that
no rule has; and each comment that looks like one and is none (`ignore IPT101` without the `=`,
`ignor=`, `disable=`), which hides nothing. A comment for rules that did not run (`--select`,
`--ignore`, a milder profile) is left alone.

## Why it matters
The fault that it was written for may be gone, and the next one on that line will go unseen. A
misspelt code hides nothing at all.

## Example
```
*filter
# iptlint: ignore=IPT601
-A INPUT -s 192.0.2.7/32 -j DROP
COMMIT
```

## Fix
Delete the comment, or correct it: `# iptlint: ignore=IPT101 reason` speaks for the next statement,
`ignore-chain=` for its chain, `ignore-file=` for the file.

## When it is wrong
Where a file is linted both alone and with others: a comment may be of use in one of the runs
only.

## References
- `iptlint rule` lists the codes and names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Severity
from iptlint.findings.suppressions import Suppressed, Suppression
from iptlint.rules.meta import Group, Meta
from iptlint.rules.registry import codes_like, selected, unknown

META = Meta(
    code="IPT005",
    name="unused-suppression",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.READING,
    since="0.1.0",
)


def check(context: Context) -> Iterator[Finding]:
    """The linter makes these findings, once it knows what each comment hides."""
    return iter(())


def check_comments(suppressed: Suppressed, ran: Collection[str]) -> Iterator[Finding]:
    """``ran`` are the codes of the rules that could have spoken."""
    yield from _misspelt(suppressed.comments)
    speaking = {*ran, META.code}
    all_codes = selected((), ())
    for comment in suppressed.unused:
        yield from _unused(comment, comment.codes or all_codes, speaking)
    for directive in suppressed.faulty:
        message = f"this is no suppression and hides nothing: {directive.fault}"
        yield META.finding(directive.span, message, "correct or delete it")


def _misspelt(comments: Iterable[Suppression]) -> Iterator[Finding]:
    """The codes and names in the comments that no rule has."""
    each = ((c, code) for c in comments for code in c.codes if not codes_like(code))
    for number, (comment, code) in enumerate(each):
        told = f"this hides nothing: {unknown(code, hint=number < _MOST_HINTS)}"
        yield META.finding(comment.span, told, "correct or delete it")


_MOST_HINTS = 200
"""To look for the word that was meant takes longer than all else."""


def _unused(
    comment: Suppression, codes: Iterable[str], speaking: AbstractSet[str]
) -> Iterator[Finding]:
    """That the comment, which is about these codes, hid nothing."""
    meant = {code for text in codes for code in codes_like(text)}
    if meant and meant <= speaking:
        place = _place(comment)
        what = f"of {', '.join(comment.codes)} " if comment.codes else ""
        yield META.finding(
            comment.span, f"this hides nothing: there is no finding {what}{place}", "delete it"
        )


def _place(comment: Suppression) -> str:
    if comment.lines is None:
        return "in this file"
    return f"on line {min(comment.lines)}" if len(comment.lines) == 1 else "in this chain"
