"""Regular expressions of POSIX, as grep, sed and ``[[ … =~ … ]]`` of bash read them.

Only those that surely take no longer than somebody waits are looked for, whatever the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from iptlint.dialects.script.backtracking import UnboundedError, Ways, ways_of
from iptlint.model.numbers import decimal

_LONGEST, _MOST_STEPS, _MOST_COUNTED = 200, 1_000_000, 64
CLASSES = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\s",
    "blank": r" \t",
    "xdigit": "0-9A-Fa-f",
    "punct": r"!-/:-@\[-`{-~",
}
_BRACKET = re.compile(r"\[(\^?)(\]?(?:\[:\w+:\]|[^\]])*)\]")
_COUNTED = re.compile(r"\{([0-9]*+)(,?)([0-9]*)\}")
_IN_SET = re.compile(r"\[:(\w+):\]|([\\\[&~|])")


@dataclass(frozen=True, slots=True)
class Regular:
    """``ways``: in how many it may be tried. ``chooses``: it has alternatives, of which Python
    takes the first and POSIX the longest."""

    pattern: re.Pattern[str]
    ways: Ways
    chooses: bool

    def search(self, text: str) -> re.Match[str] | None:
        """Where it fits first. LookupError where that may take too long."""
        if self.ways.on(text) > _MOST_STEPS:
            raise LookupError
        return self.pattern.search(text)


def regular(text: str, *, extended: bool = True, ignore_case: bool = False) -> Regular | None:
    """None where it is none, or not one of those that are read here."""
    if len(text) > _LONGEST or "\n" in text:
        return None
    try:
        pieces = [*_pieces(text, extended)]
        ways = ways_of(pieces)
    except (_UnreadError, UnboundedError):
        return None
    flags = re.IGNORECASE if ignore_case else re.NOFLAG
    try:
        pattern = re.compile("".join(pieces), flags | re.ASCII)
    except re.error:
        return None
    return Regular(pattern, ways, "|" in pieces)


def literal(text: str) -> str:
    """An extended expression that fits just the text."""
    return _MEANT.sub(r"\\\g<0>", text)


_MEANT = re.compile(r"[][\\.*^$+?(){}|]")


class _UnreadError(Exception):
    """A sign that this does not read."""


def _pieces(text: str, extended: bool) -> Iterator[str]:
    """The same for Python, sign by sign."""
    at, begins = 0, True
    while at < len(text):
        sign = text[at]
        escaped = sign == "\\"
        if escaped:
            if at + 1 == len(text):
                raise _UnreadError
            sign = text[at + 1]
        special = sign in "(){}|+?" and escaped is not extended
        bracket = _BRACKET.match(text, at)
        counted = _COUNTED.match(text, at + escaped) if sign == "{" and special else None
        if bracket is not None:
            at = bracket.end()
            yield f"[{bracket[1]}{_IN_SET.sub(_in_set, bracket[2])}]"
        elif counted is not None:
            at = counted.end()
            if not extended and text[at - 2 : at] != "\\}":
                raise _UnreadError
            yield _count(counted)
        elif special and sign != "{":
            at += 1 + escaped
            yield sign
        elif not escaped and (_is_anchor(text, at, begins, extended) or sign in _MEANING[begins]):
            at += 1
            yield sign
        elif escaped and re.match(r"\w", sign):
            raise _UnreadError
        else:
            at += 1 + escaped
            yield re.escape(sign)
        begins = special and sign in "(|"


_MEANING = {True: ".", False: ".*"}
"""What is no plain sign, where an expression begins and behind that."""


def _is_anchor(text: str, at: int, begins: bool, extended: bool) -> bool:
    """Of a basic expression `^` is one only where it begins, and `$` only where it ends (POSIX,
    XBD 9.3.8): `s/$LAN/eth0/` looks for the sign."""
    ends = at + 1 == len(text) or text[at + 1 : at + 3] in ("\\)", "\\|")
    plain = {"^": begins, "$": ends}
    return text[at] in plain and (extended or plain[text[at]])


def _in_set(found: re.Match[str]) -> str:
    if found[2]:
        return f"\\{found[2]}"
    if found[1] not in CLASSES:
        raise _UnreadError
    return CLASSES[found[1]]


def _count(counted: re.Match[str]) -> str:
    first, last = decimal(counted[1] or "0"), decimal(counted[3] or counted[1] or "0")
    if first is None or last is None or max(first, last) > _MOST_COUNTED:
        raise _UnreadError
    if counted[2] and not counted[3]:
        return f"{{{first},}}"
    return f"{{{first},{last}}}" if counted[2] else f"{{{first}}}"
