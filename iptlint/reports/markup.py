"""Markdown in which what comes from a file is text and nothing else."""

from __future__ import annotations

import re

from iptlint.reports.safe import visible

_MARKS = re.compile(r"([\\`*_{}\[\]<>|~&$!])")
_CALLS = re.compile(r"([@#%]|(?<=:)(?=//)|(?<=www)(?=\.))", re.IGNORECASE)
"""Where a forge would make a mention, a reference or a link."""

_NOTHING = "&#8203;"


def text(words: str) -> str:
    """One line of plain words: no mark-up, no HTML, nobody called, no link."""
    return _CALLS.sub(rf"\1{_NOTHING}", _MARKS.sub(r"\\\1", visible(words)))


def code(words: str) -> str:
    """A code span; nothing inside of it means anything."""
    shown = visible(words)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    padded = f" {shown} " if shown.startswith(("`", " ")) or shown.endswith(("`", " ")) else shown
    return f"{fence}{padded or ' '}{fence}"
