"""What messages quote of an input, which may be of any length.

A message is read by people and stands in logs: of a number with 5,000 digits its beginning says
all that is worth knowing.
"""

from __future__ import annotations

import re

MOST_OF_A_WORD = 200
MOST_OF_A_QUOTE = 600
_ELLIPSIS = "…"
_WORD = re.compile(rf"([^\s`]{{{MOST_OF_A_WORD // 2}}})[^\s`]{{{MOST_OF_A_WORD // 2},}}+")
_QUOTE = re.compile(rf"(`[^`]{{{MOST_OF_A_QUOTE // 2}}})[^`]{{{MOST_OF_A_QUOTE // 2},}}+`")


def one_line(text: str) -> str:
    """What stands there, on one line, and no more of it than a message quotes."""
    words = " ".join(text[: 2 * MOST_OF_A_QUOTE].split())
    is_cut = len(words) > MOST_OF_A_QUOTE or len(text) > 2 * MOST_OF_A_QUOTE
    return words[:MOST_OF_A_QUOTE] + _ELLIPSIS * is_cut


def shortened(message: str) -> str:
    """The message with no word and nothing in backquotes of more than so many characters."""
    if len(message) <= MOST_OF_A_WORD:
        return message
    words = _WORD.sub(rf"\1{_ELLIPSIS}", message)
    return _QUOTE.sub(rf"\1{_ELLIPSIS}`", words)
