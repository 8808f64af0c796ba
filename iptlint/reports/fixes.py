"""What was fixed and what not, for people and as JSON; and the change as a diff."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from iptlint.fixes.engine import Fixed, Refused
from iptlint.fixes.proof import Attempt
from iptlint.linter.report import Report
from iptlint.reports.safe import visible
from iptlint.reports.summary import fixable
from iptlint.source import SourceFile


def unified_diff(
    pairs: Sequence[tuple[SourceFile, SourceFile]], new_files: Sequence[SourceFile] = ()
) -> str:
    """As `diff -u` writes it; `patch -p1` takes it."""
    lines = [line for before, after in pairs for line in _diff(before.text, after)]
    lines += (line for new in new_files for line in _diff(None, new))
    return "".join(lines)


def _diff(before: str | None, after: SourceFile) -> Iterator[str]:
    path = after.path.lstrip("/")
    old, new = _lines(before or ""), _lines(after.text)
    old_name = "/dev/null" if before is None else f"a/{path}"
    for line in difflib.unified_diff(old, new, old_name, f"b/{path}"):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _lines(text: str) -> list[str]:
    """With their ends. Other signs that Python splits lines at are none to diff(1)."""
    return [f"{line}\n" for line in text.split("\n")[:-1]] + [*filter(None, [text.split("\n")[-1]])]


def fixed_text(fixed: Fixed, left: Report, *, written: bool) -> str:
    """A line for each fix that was refused, one for those that nobody tried, and one that counts
    all. ``left``: what is found in the new texts."""
    lines = [_refused(each) for each in fixed.refused if each.tried]
    lines += _not_tried([each for each in fixed.refused if not each.tried])
    lines.append(", ".join(_counts(fixed, left, "fixed" if written else "would be fixed")))
    return "".join(f"{visible(line)}\n" for line in lines)


def _refused(refused: Refused) -> str:
    finding = refused.attempt.finding
    place = f"{finding.span.source.path}:{finding.span.line}"
    return f"not fixed: {place}: {finding.code}: {refused.attempt.fix.says}: {refused.why}"


def _not_tried(refused: Sequence[Refused]) -> Iterator[str]:
    if len(refused) <= 1:
        yield from map(_refused, refused)
        return
    findings = [each.attempt.finding for each in refused]
    codes = ", ".join(sorted({finding.code for finding in findings}))
    yield f"not fixed: {len(refused)} findings, of {codes}: {refused[0].why}"


def _counts(fixed: Fixed, left: Report, done: str) -> Iterator[str]:
    refused = len(fixed.refused)
    safe, others = fixable(left)
    yield f"{len(fixed.applied)} {done}"
    if safe - refused > 0:
        yield f"{safe - refused} more can be fixed with --fix"
    if others > 0:
        yield f"{others} more can be fixed with --unsafe-fixes"
    if refused:
        yield f"{refused} not proved"


def fixes_json(fixed: Fixed) -> dict[str, object]:
    return {
        "applied": [_as_json(attempt) for attempt in fixed.applied],
        "refused": [_as_json(each.attempt) | {"reason": each.why} for each in fixed.refused],
    }


def _as_json(attempt: Attempt) -> dict[str, object]:
    """The line is the one that the text had when the fix was applied."""
    finding, fix = attempt.finding, attempt.fix
    return {
        "code": finding.code,
        "path": finding.span.source.path,
        "line": finding.span.line,
        "fix": fix.says,
        "safe": fix.safe,
    }
