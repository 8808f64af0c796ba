"""Lines that are alike but for numbers, addresses, the names of chains and what stands in quotes.

Nearly all lines of a large file are like one before. ``outlines`` puts digits in the place of all
these, so that lines with one outline have one shape, unless something in a digit's place counts
for the shape, as ``-p 6`` does: ``settles_shape`` says so of an outline.
"""

from __future__ import annotations

import re

from iptlint.dialects.iptables.parsing.shape_keys import Keys
from iptlint.dialects.iptables.parsing.words import split_plainly

_DIGITS = str.maketrans("123456789", "000000000")
_NUMBER, _QUOTED, _CHAIN, _JUMP, _ADDRESS = "01234"
"""What stands in the place of each."""

_NAMES = (
    (re.compile(r' "[^-!"\\\n][^"\\\n]*"(?=[ \n]|\Z)'), f' "{_QUOTED}"'),
    (re.compile(r'-A [A-Za-z][^ \t\n"]*'), f"-A {_CHAIN}"),
    # The name of no target has a hyphen in it.
    (re.compile(r" -j [A-Za-z]\w*-[\w-]*(?=[ \n]|\Z)"), f" -j {_JUMP}"),
)
_SIX = tuple(
    (re.compile(rf" {option} [0-9A-Fa-f]*:[0-9A-Fa-f:]*"), f" {option} {_ADDRESS}:")
    for option in ("-s", "-d")
)


def outlines(text: str) -> str:
    """The text with the outline of each line in its place."""
    text = text.translate(_DIGITS)
    while "00" in text:
        text = text.replace("00", _NUMBER)
    for pattern, outline in (*_NAMES, *(_SIX if "::" in text else ())):
        text = pattern.sub(outline, text)
    return text


def settles_shape(outline: str, keys: Keys) -> bool:
    """Whether all lines of the outline have the shape of one of them."""
    words = split_plainly(outline)
    return words is not None and not any(map(_NOT_ONE.search, keys.telling(words)))


_NOT_ONE = re.compile(rf"(?!{_JUMP}\Z)\d")
"""Found in a word that stands for others, one of which may count for the shape."""
