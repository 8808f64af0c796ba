"""How much of a script is read: as many words and signs as a person may have written."""

from __future__ import annotations

import re
from itertools import islice

from iptlint.dialects.diagnostics import SyntaxDiagnostic
from iptlint.source import SourceFile

MAX_SIGNS = 1_000_000
"""Words, and signs between them: each is a node of the grammar, of a quarter of a kilobyte."""

_SIGN = re.compile(r"[\w.,:/@%+=-]+|[^\s\w]")


def end_of_read(text: str) -> int:
    """Where what is read of it ends: behind a whole line, if there is one."""
    if len(text) <= MAX_SIGNS:
        return len(text)
    beyond = next(islice(_SIGN.finditer(text), MAX_SIGNS, None), None)
    if beyond is None:
        return len(text)
    return text.rfind("\n", 0, beyond.start()) + 1 or beyond.start()


def left_unread(source: SourceFile, start: int) -> SyntaxDiagnostic:
    message = (
        f"a script is read for {MAX_SIGNS:,} words and signs, and what follows, "
        f"{len(source.text) - start:,} characters, was not"
    )
    end = max(start + 1, source.line_span(source.line_of(start)).end)
    return SyntaxDiagnostic(source, start, end, message, code="IPT010", hides_text=True)
