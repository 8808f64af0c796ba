"""The key of a line's shape: equal keys, equal shape.

Options are kept, and so are the names of the matches, targets and protocols that are known,
for they decide what the words after them mean. Every other word is a placeholder, so that a
hundred thousand rules about as many addresses and chains come to a handful of keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from iptlint.dialects.iptables.extensions.table import find_match, find_target, protocol_match
from iptlint.dialects.iptables.parsing.commands import Takes
from iptlint.dialects.iptables.parsing.option_lookup import SHORT
from iptlint.model import Family

ShapeKey = tuple[str, ...]
_Class = Callable[[str], str]

_PLAIN = "\0word"
_BANG = "\0!word"
_BLANKS = "\0blanks"
_PAIR = "\0a,b"

_NAMING = ("match", "jump", "goto", "protocol", "set-counters")
"""The options whose argument counts for the shape."""


_NAME = re.compile(r"[^ \t\n\v\f\r]+").fullmatch


def names_chain(word: str) -> bool:
    """Whether a word could be a chain's or target's name at all."""
    return _NAME(word) is not None


def _counters(word: str) -> str:
    """``-c 1,2`` takes one word and ``-c 1 2`` two."""
    return _PAIR if "," in word else _PLAIN


def _glued(word: str) -> str:
    return _BANG if word.startswith(("-", "!")) else _PLAIN


class Keys:
    """Makes keys for the lines of one family."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self._dashed: dict[str, tuple[str, _Class | None]] = {}
        self._protocols: dict[str, str] = {}
        naming = (self._match, self._jump, self._jump, self._protocol, _counters)
        self._naming: dict[str, _Class] = dict(zip(_NAMING, naming, strict=True))

    def key(self, words: list[str]) -> ShapeKey:
        key = []
        naming: _Class | None = None
        for word in words:
            lead = word[:1]
            if lead == "-":
                known = self._dashed.get(word) or self._learn(word)
                naming = known[1]
                key.append(known[0])
            elif naming is not None:
                key.append(word if lead == "!" else naming(word))
                naming = None
            elif lead == "!":
                key.append("!" if word == "!" else _BANG)
            else:
                key.append(_PLAIN)
        return tuple(key)

    def telling(self, words: list[str]) -> Iterator[str]:
        """The words that count for the key: all others are placeholders, whatever they are."""
        naming: _Class | None = None
        for word in words:
            if word[:1] == "-":
                naming = (self._dashed.get(word) or self._learn(word))[1]
                yield word
            elif naming is not None:
                yield word
                naming = None

    def _learn(self, word: str) -> tuple[str, _Class | None]:
        known = self._long(word) if word[1:2] == "-" else self._cluster(word)
        if not names_chain(word):
            known = (known[0] + _BLANKS, known[1])
        self._dashed[word] = known
        return known

    def _long(self, word: str) -> tuple[str, _Class | None]:
        """``--dport=22`` is ``--dport=`` and a value."""
        option, glue, value = word.partition("=")
        name = option[2:]
        full = next((known for known in _NAMING if name and known.startswith(name)), None)
        naming = self._naming[full] if full else None
        kept = option if names_chain(option) else "--"
        if glue:
            return kept + glue + (naming or _glued)(value), None
        return kept, naming

    def _cluster(self, word: str) -> tuple[str, _Class | None]:
        """``-jDROP`` is ``-j`` and a name; ``-fi`` is two options."""
        for at, letter in enumerate(word[1:], start=2):
            known = SHORT.get(letter)
            if known is None:
                return word[:at], None
            if known.entry.takes is not Takes.NOTHING:
                naming = self._naming.get(known.entry.name)
                glued = word[at:]
                if not glued:
                    return word, naming
                return word[:at] + (naming or _glued)(glued), None
        return word, None

    def _match(self, word: str) -> str:
        return word if find_match(word, self._family) else _PLAIN

    def _jump(self, word: str) -> str:
        if find_target(word, self._family):
            return word
        return _PLAIN if names_chain(word) else _BLANKS

    def _protocol(self, word: str) -> str:
        known = self._protocols.get(word)
        if known is None:
            match = protocol_match(word.lower(), self._family)
            known = self._protocols[word] = match.name if match else _PLAIN
        return known
