"""How a line splits into words, as ``ipset restore`` does it (build_argv in ipset.c).

A quote switches blanks between plain and separating wherever it stands, an empty word is no
word, and a few options may stand anywhere among the words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from iptlint.grammar import terminal

GRAMMAR = ("ipset_save", "line")

EXIST = ("-exist", "-!")
FLAGS = ("-quiet", "-q", "-resolve", "-r", "-sorted", "-s", "-name", "-n", "-terse", "-t")
WITH_VALUE = ("-output", "-o", "-file", "-f")
"""Options of the program, not of a command (ipset_envopts in libipset/ipset.c)."""


@cache
def pattern(form: str) -> re.Pattern[str]:
    """A regular expression with each ``<SYMBOL>`` in it read as the grammar's terminal."""
    return re.compile(re.sub(r"<(\w+)>", lambda name: terminal(GRAMMAR[0], name[1]), form))


@dataclass(frozen=True, slots=True)
class Words:
    written: tuple[re.Match[str], ...]
    exist: bool

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(unquoted(word[0]) for word in self.written)


def unquoted(raw: str) -> str:
    return raw.replace('"', "")


def plain_words(line: str) -> Words:
    """The words of a line without the options that may stand anywhere."""
    written: list[re.Match[str]] = []
    exist = takes_value = False
    for word in pattern("<WORD>").finditer(line):
        text = unquoted(word[0])
        option = text[1:] if text.startswith("--") else text  # ipset_match_option takes both
        if takes_value:
            takes_value = False
        elif option in EXIST:
            exist = True
        elif option in WITH_VALUE:
            takes_value = True
        elif text and option not in FLAGS:
            written.append(word)
    return Words(tuple(written), exist)
