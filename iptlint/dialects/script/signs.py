"""How much of a script is read: as many words and signs as a person may have written."""

from __future__ import annotations

import re
from itertools import islice

from iptlint.dialects.diagnostics import SyntaxDiagnostic
from iptlint.source import SourceFile

MAX_SIGNS = 1_000_000
"""Words, and signs between them: each is a node of the grammar, of a quarter of a kilobyte."""

MAX_CROWDED = 1000
"""Lines on which several here-documents begin: the grammar reads each again for those before it."""

MAX_EXPANDED = 1000
"""Expansions in one line: of a here-document the grammar reads the line again for each."""

_CROWDED = re.compile(r"^[^\n]*?<<[^\n]*?<<", re.MULTILINE)
_EXPANDED = re.compile(rf"^(?:[^\n$]*\$){{{MAX_EXPANDED}}}", re.MULTILINE)
_SIGN = re.compile(r"[\w.,:/@%+=-]+|[^\s\w]")


def end_of_read(text: str) -> int:
    """Where what is read of it ends: behind a whole line, if there is one."""
    ends = [len(text)]
    if len(text) > MAX_SIGNS and (sign := _nth(_SIGN, text, MAX_SIGNS)):
        ends.append(text.rfind("\n", 0, sign.start()) + 1 or sign.start())
    if "<<" in text and (crowded := _nth(_CROWDED, text, MAX_CROWDED)):
        ends.append(crowded.start())
    if "<<" in text and (expanded := _EXPANDED.search(text)):
        ends.append(expanded.start())
    return min(ends)


def _nth(pattern: re.Pattern[str], text: str, number: int) -> re.Match[str] | None:
    return next(islice(pattern.finditer(text), number, None), None)


def left_unread(source: SourceFile, start: int) -> SyntaxDiagnostic:
    message = (
        f"a script is read for {MAX_SIGNS:,} words and signs, {MAX_CROWDED:,} lines on which "
        f"several here-documents begin, less than {MAX_EXPANDED:,} expansions in a line beside "
        "here-documents, and as long as the grammar of bash is not at a loss; what follows, "
        f"{len(source.text) - start:,} characters, was not"
    )
    end = max(start + 1, source.line_span(source.line_of(start)).end)
    return SyntaxDiagnostic(source, start, end, message, code="IPT010", hides_text=True)
