"""Bytes to text, losing none of them."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import IO

from iptlint.source import SourceFile

STDIN = "-"

_MARK = b"\xef\xbb\xbf"

MAX_BYTES = 64 * 2**20
"""More than this of one file is not read: about half a million rules."""

_PIECE = 1 << 24
"""Room is made for as many bytes as are asked for, whether they come or not."""


def load(path: str, most: int = MAX_BYTES) -> SourceFile:
    """The file, or standard input for ``-``; ``OSError`` where it cannot be read, is a device
    that is no terminal, or has more bytes than ``most``."""
    if path == STDIN and sys.stdin is None:
        raise OSError("standard input is closed")
    try:
        data = _read(sys.stdin.buffer, most) if path == STDIN else read_whole(path, most)
    except OverflowError:
        raise OSError(
            f"is longer than {most} bytes (--max-bytes), so nothing of it is read"
        ) from None
    return decode(path, data)


def read_whole(path: str, most: int) -> bytes:
    """``OSError`` where it cannot be read, or is a device that is no terminal; ``OverflowError``
    where it has more bytes."""
    with Path(path).open("rb") as file:
        kind = os.fstat(file.fileno())
        if stat.S_ISBLK(kind.st_mode) or (stat.S_ISCHR(kind.st_mode) and not _is_quiet(file)):
            raise OSError("is a device")
        return _read(file, most, kind.st_size)


def _read(file: IO[bytes], most: int, size: int = 0) -> bytes:
    pieces: list[bytes] = []
    length = size
    while length <= most and (piece := file.read(_PIECE)):
        pieces.append(piece)
        length = max(size, sum(map(len, pieces)))
    if length > most:
        raise OverflowError
    return b"".join(pieces)


def _is_quiet(file: IO[bytes]) -> bool:
    """A terminal, or what is always empty: every other device may have no end."""
    return file.isatty() or os.path.samestat(os.fstat(file.fileno()), Path(os.devnull).stat())


def decode(path: str, data: bytes) -> SourceFile:
    """UTF-8, with or without a mark; other bytes become lone surrogates (PEP 383).

    The tools compare bytes, whatever they spell: two strings that differ in an
    invalid byte have to differ here too.
    """
    text = data.removeprefix(_MARK).decode("utf-8", "surrogateescape")
    return SourceFile(path, text, data.startswith(_MARK))


def encode(source: SourceFile) -> bytes:
    """The bytes that ``decode`` made the source of."""
    return _MARK * source.marked + source.text.encode("utf-8", "surrogateescape")
