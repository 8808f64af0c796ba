"""``test``, ``[`` and ``[[``: whether a test holds, where that can be told without running it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from iptlint.dialects.script.globs import glob
from iptlint.dialects.script.symbolic_text import WHOLE, is_known
from iptlint.model.numbers import signed

Answer = bool | None
"""None: known only when the script runs."""

_COMMANDS = (
    r"(?:ip6?|eb|arp)tables\S*|nft|ipset|ip|tc|modprobe|insmod|rmmod|lsmod|depmod|sysctl|ifconfig|route|"
    r"(?:ba|da)?sh|[ef]?grep|[gm]?awk|sed|cut|cat|tr|echo|printf|head|tail|sort|uniq|wc|id|uname|hostname|"
    r"logger|which|true|false|touch|rm|mv|cp|ls|date|sleep|basename|dirname"
)
_TOOLS = re.compile(rf".*(?:\b(?:{_COMMANDS})|/proc/(?:sys|net)/\S*)")
"""What a host that runs the script has; another program, or a file of one kernel, it may lack."""


def holds(words: Sequence[str], *, double: bool = False) -> Answer:
    """The words between the brackets; with ``double``, ``==`` compares with a pattern."""
    parser = _Parser(list(words), double)
    try:
        answer = parser.alternatives()
    except _NoTestError:
        return None
    return answer if parser.at == len(parser.words) else None


class _NoTestError(Exception):
    """The words are no test that this reads."""


class _Parser:
    def __init__(self, words: list[str], double: bool) -> None:
        self.words = words
        self.at = 0
        self.double = double

    def _next(self) -> str | None:
        return self.words[self.at] if self.at < len(self.words) else None

    def alternatives(self) -> Answer:
        answer = self._joined()
        while self._next() in ("-o", "||"):
            self.at += 1
            answer = either(answer, self._joined())
        return answer

    def _joined(self) -> Answer:
        answer = self._single()
        while self._next() in ("-a", "&&"):
            self.at += 1
            answer = both(answer, self._single())
        return answer

    def _single(self) -> Answer:
        left = len(self.words) - self.at
        word = self._next()
        if word is None:
            return False if not self.words else self._fail()
        following = self.words[self.at + 1] if left > 1 else None
        if left >= 3 and following in _BINARY:
            return self._binary()
        if word == "!" and left > 1:
            self.at += 1
            return opposite(self._single())
        if word in ("(", "\\(") and left > 2:
            return self._bracketed()
        if left > 1 and re.fullmatch(r"-[a-zA-Z]", word) and following not in _JOINING:
            self.at += 2
            return _unary(word, str(following))
        self.at += 1
        return _filled(word)

    def _bracketed(self) -> Answer:
        self.at += 1
        answer = self.alternatives()
        if self._next() not in (")", "\\)"):
            return self._fail()
        self.at += 1
        return answer

    def _binary(self) -> Answer:
        one, sign, other = self.words[self.at : self.at + 3]
        self.at += 3
        if sign in ("=", "==", "!=") and self.double and is_known(one + other):
            pattern = glob((other, False))
            same = None if pattern is None else pattern.fullmatch(one) is not None
            return same if sign != "!=" else opposite(same)
        return _BINARY[sign](one, other)

    def _fail(self) -> Answer:
        raise _NoTestError


# -- answers -----------------------------------------------------------------------------------


def opposite(answer: Answer) -> Answer:
    return None if answer is None else not answer


def both(one: Answer, other: Answer) -> Answer:
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def either(one: Answer, other: Answer) -> Answer:
    return opposite(both(opposite(one), opposite(other)))


# -- operators ---------------------------------------------------------------------------------


def _filled(word: str) -> Answer:
    """Text beside something unknown is not empty, whatever that is."""
    if is_known(word):
        return word != ""
    return True if WHOLE.sub("", word) else None


def _unary(sign: str, word: str) -> Answer:
    match sign:
        case "-n":
            return _filled(word)
        case "-z":
            return opposite(_filled(word))
        case "-x" | "-e" | "-f" | "-r" | "-s" if is_known(word) and _TOOLS.fullmatch(word):
            return True
        case _:
            return None


def _same(one: str, other: str) -> Answer:
    return one == other if is_known(one + other) else None


def _numbers(compare: Callable[[int, int], bool]) -> Callable[[str, str], Answer]:
    def answer(one: str, other: str) -> Answer:
        first, second = signed(one), signed(other)
        if first is None or second is None:
            return None if not is_known(one + other) else False
        return compare(first, second)

    return answer


def _has(one: str, pattern: str) -> Answer:
    """A regular expression of plain signs alone, between quotes or not, is looked for as it is."""
    plain = _PLAIN.fullmatch(pattern) is not None
    return pattern in one if plain and is_known(one + pattern) else None


_PLAIN = re.compile(r"[\w:/,@%=-]+", re.ASCII)


def _unknown(_one: str, _other: str) -> Answer:
    return None


_BINARY: dict[str, Callable[[str, str], Answer]] = {
    "=": _same,
    "==": _same,
    "!=": lambda one, other: opposite(_same(one, other)),
    "-eq": _numbers(lambda one, other: one == other),
    "-ne": _numbers(lambda one, other: one != other),
    "-lt": _numbers(lambda one, other: one < other),
    "-le": _numbers(lambda one, other: one <= other),
    "-gt": _numbers(lambda one, other: one > other),
    "-ge": _numbers(lambda one, other: one >= other),
    "=~": _has,
    "<": _unknown,
    ">": _unknown,
    "-nt": _unknown,
    "-ot": _unknown,
    "-ef": _unknown,
}
_JOINING = frozenset({"-a", "-o", "&&", "||", ")"})
