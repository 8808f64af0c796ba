"""What is wrong with a text, seen while it is read."""

from __future__ import annotations

from dataclasses import dataclass

from iptlint.source import SourceFile


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding in the making: ``code`` and ``severity`` are words of the catalogue.

    ``start`` and ``end`` are offsets into the source, half-open.
    """

    code: str
    severity: str
    start: int
    end: int
    message: str
    help: str = ""
    source: SourceFile | None = None
    """The included file it is in; None: the file that was read."""
