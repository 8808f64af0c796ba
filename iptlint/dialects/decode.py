"""Bytes to text, losing none of them."""

from __future__ import annotations

import sys
from pathlib import Path

from iptlint.source import SourceFile

STDIN = "-"

MAX_BYTES = 64 * 2**20
"""More than this of one file is not read: about half a million rules."""


def load(path: str) -> SourceFile:
    """The file, or standard input for ``-``; ``OSError`` where it cannot be read."""
    if path == STDIN:
        if sys.stdin is None:
            raise OSError("standard input is closed")
        return decode(path, sys.stdin.buffer.read(MAX_BYTES + 1))
    with Path(path).open("rb") as file:
        return decode(path, file.read(MAX_BYTES + 1))


def decode(path: str, data: bytes) -> SourceFile:
    """UTF-8, with or without a mark; other bytes become lone surrogates (PEP 383).

    The tools compare bytes, whatever they spell: two strings that differ in an
    invalid byte have to differ here too.
    """
    return SourceFile(path, data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape"))
