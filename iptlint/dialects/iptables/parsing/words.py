"""How a line splits into words: as iptables-restore does it, not as a shell does."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from functools import cache
from itertools import islice

from iptlint.grammar import terminal

GRAMMAR = ("iptables_save", "line")

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@cache
def pattern(form: str) -> re.Pattern[str]:
    """A regular expression with each ``<SYMBOL>`` in it read as the grammar's terminal."""
    return re.compile(re.sub(r"<(\w+)>", lambda name: terminal(GRAMMAR[0], name[1]), form))


def unquoted(raw: str) -> str:
    """What a word as written means; a closing quote is its last character."""
    bare, quote, quoted = raw.partition('"')
    return bare + _ESCAPED.sub(r"\1", quoted[:-1]) if quote else raw


def split_words(line: str) -> list[str] | None:
    """The words of a line; None where a quote is left open."""
    if '"' not in line and "\t" not in line:
        words = line.split(" ")
        return [word for word in words if word] if "" in words else words
    return split_plainly(line) or _split_by_grammar(line)


def split_plainly(line: str) -> list[str] | None:
    """The words of a line where no quote begins within one and nothing is escaped; else None."""
    if "\t" in line or "\\" in line:
        return None
    pieces = line.split('"')
    if len(pieces) % 2 == 0 or any(piece[-1:] not in ("", " ") for piece in pieces[:-1:2]):
        return None
    words: list[str] = []
    for index, piece in enumerate(pieces):
        words += [piece] if index % 2 else filter(None, piece.split(" "))
    return words


def _split_by_grammar(line: str) -> list[str] | None:
    raws = pattern("<WORD>|<UNCLOSED>").findall(line)
    if raws and '"' in raws[-1] and not pattern("<WORD>").fullmatch(raws[-1]):
        return None
    return [unquoted(raw) for raw in raws]


def words_of(line: str) -> tuple[str, ...]:
    """The words of a line that has been read, without its counters."""
    if line[:1] == "[":
        line = line[len(counters_before(line)) :]
    return tuple(split_words(line) or ())


def counters_before(line: str) -> str:
    """The counters that a line begins with, as they are written; empty where there are none."""
    counters = pattern("<RULE_COUNTERS>").match(line)
    return counters[0] if counters else ""


def raw_words(line: str) -> Iterator[re.Match[str]]:
    """Every word of a line as it is written, quotes and all, without its counters."""
    return pattern("<WORD>|<UNCLOSED>").finditer(line, len(counters_before(line)))


def raw_offset(raw: str, offset: int) -> int:
    """Where the character ``offset`` of the meant word stands in the word as written."""
    quote = raw.find('"')
    if quote < 0 or offset < quote:
        return offset
    at = quote + 1
    for _ in range(offset - quote):
        at += 2 if raw[at : at + 1] == "\\" else 1
    return at


def span_of_words(line: str, first: int, last: int) -> tuple[int, int]:
    """Where in a line the words ``first <= i < last`` stand; its end where there are none."""
    # One by one: a line may have millions.
    words = islice(raw_words(line), first, max(first + 1, last))
    begin = next(words, None)
    if begin is None:
        return len(line), len(line)
    end = (deque(words, maxlen=1) or (begin,))[0]
    return begin.start(), end.end()
