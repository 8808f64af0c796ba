"""Files that are no rules: configurations, policy tests, baselines, tables of packets.

They come from the same strangers, so they are held to bounds, too.
"""

from __future__ import annotations

import io

from iptlint.dialects.decode import read_whole

MAX_SETTINGS = 4 * 2**20
"""Bytes of TOML: nobody writes so much by hand, and reading it takes a second for each."""


def settings_text(path: str, most: int, encoding: str = "utf-8") -> str:
    """``OSError`` where it cannot be read, is a device or longer than ``most`` bytes;
    ``UnicodeDecodeError`` where it is no text. A line ends with a newline alone."""
    try:
        data = read_whole(path, most)
    except OverflowError:
        raise OSError(f"is longer than {most} bytes") from None
    return io.TextIOWrapper(io.BytesIO(data), encoding).read()
