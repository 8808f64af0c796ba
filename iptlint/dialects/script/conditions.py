"""``test``, ``[`` and ``[[``: whether a test holds, where that can be told without running it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from iptlint.dialects.script.globs import glob
from iptlint.dialects.script.regular import Regular
from iptlint.dialects.script.symbolic_text import WHOLE, is_known
from iptlint.model.numbers import signed

Answer = bool | None
"""None: known only when the script runs."""

_COMMANDS = (
    r"(?:ip6?|eb|arp)tables(?:-[\w-]+)?|nft|ipset|ip|tc|modprobe|insmod|rmmod|lsmod|depmod|sysctl|ifconfig|route|"
    r"(?:ba|da)?sh|[ef]?grep|[gm]?awk|sed|cut|cat|tr|echo|printf|head|tail|sort|uniq|wc|id|uname|hostname|"
    r"logger|which|true|false|touch|rm|mv|cp|ls|date|sleep|basename|dirname"
)
_TOOLS = re.compile(rf"(?:(?:.*/)?(?:{_COMMANDS})|/proc/(?:sys|net)/\S*)")
"""What a host that runs the script has; another program, or a file of one kernel, it may lack."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a test asks of the shell. ``pattern``: what the word with this number fits as one, or
    None; ``regular``: the same as a regular expression; ``matched``: is told what fitted;
    ``is_set``: whether a variable of this name is;
    ``number``: what a sum comes to, as which `[[` reads numbers."""

    pattern: Callable[[int], re.Pattern[str] | None]
    regular: Callable[[int], Regular | None]
    matched: Callable[[Sequence[str] | None], None]
    is_set: Callable[[str], Answer]
    number: Callable[[str], int | None]


def holds(
    words: Sequence[str], around: Surroundings | None = None, *, double: bool = False
) -> Answer:
    """The words between the brackets; with ``double``, ``==`` compares with a pattern."""
    parser = _Parser(list(words), double, around)
    try:
        answer = parser.alternatives()
    except _NoTestError:
        return None
    return answer if parser.at == len(parser.words) else None


class _NoTestError(Exception):
    """The words are no test that this reads."""


class _Parser:
    def __init__(self, words: list[str], double: bool, around: Surroundings | None) -> None:
        self.words = words
        self.at = 0
        self.double = double
        self.around = around

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
            if word == "-v" and self.around is not None:
                return self.around.is_set(str(following))
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
        if sign == "=~":
            return self._fits(one)
        if self.double and self.around is not None and sign in _NUMERIC:
            numbers = self.around.number(one), self.around.number(other)
            one, other = ("\0?\0" if number is None else str(number) for number in numbers)
        if sign in ("=", "==", "!=") and self.double and is_known(one + other):
            number = self.at - 1
            pattern = self.around.pattern(number) if self.around else glob((other, False))
            same = None if pattern is None else pattern.fullmatch(one) is not None
            return same if sign != "!=" else opposite(same)
        return _BINARY[sign](one, other)

    def _fits(self, text: str) -> Answer:
        """The word before is a regular expression, of which the quoted parts are plain text."""
        found = None if self.around is None else self.around.regular(self.at - 1)
        if self.around is None or found is None or not is_known(text):
            return None
        try:
            match = found.search(text)
        except LookupError:
            return None
        if match is None:
            self.around.matched(())
        elif found.chooses:
            self.around.matched(None)
        else:
            self.around.matched([match[0], *(group or "" for group in match.groups())])
        return match is not None

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


def _before(one: str, other: str) -> Answer:
    """Of plain words all languages have the same order."""
    return one < other if _PLAIN.fullmatch(one) and _PLAIN.fullmatch(other) else None


_PLAIN = re.compile(r"[a-z]+|[0-9]+", re.ASCII)


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
    "=~": _unknown,
    "<": lambda one, other: _before(one, other),
    ">": lambda one, other: _before(other, one),
    "-nt": _unknown,
    "-ot": _unknown,
    "-ef": _unknown,
}
_NUMERIC = frozenset({"-eq", "-ne", "-lt", "-le", "-gt", "-ge"})
_JOINING = frozenset({"-a", "-o", "&&", "||", ")"})
