"""What can be wrong with a line though its shape is right: numbers, lengths, a chain's options."""

from __future__ import annotations

import re
from collections.abc import Set

from iptlint.dialects.iptables.parsing.diagnostics import ShapeDiagnostic, shape_diagnostic
from iptlint.dialects.iptables.parsing.tree import Counters, Shape, Words
from iptlint.model.numbers import INT_MAX, ULLONG_MAX, c_number, signed

# iptables/xshared.h and xtables-restore.c: the buffers of a word, of a line, and the words
# of a command, three of which the tool adds itself.
_LONGEST_WORD = 1023
_LONGEST_LINE = 10238
_MOST_WORDS = 251
HARMLESS_LENGTH = 500
"""No shorter line has too many words, or one that is too long, in characters."""


def too_long(words: Words, length: int) -> ShapeDiagnostic | None:
    if length > _LONGEST_LINE:
        return shape_diagnostic(0, "The line is too long", f"at most {_LONGEST_LINE} characters")
    if len(words) > _MOST_WORDS:
        return shape_diagnostic(
            _MOST_WORDS, "The line has too many words", f"at most {_MOST_WORDS}"
        )
    for index, word in enumerate(words):
        if len(word.encode(errors="surrogateescape")) > _LONGEST_WORD:
            return shape_diagnostic(index, "The word is too long", f"at most {_LONGEST_WORD} bytes")
    return None


def bad_value(shape: Shape, words: Words) -> ShapeDiagnostic | None:
    """A rule number or counters that are no numbers."""
    number = shape.number
    if number and rule_number(number.text(words)) is None:
        return shape_diagnostic(
            number.word, "`{word}` is not the number of a rule", "a number from 1 on"
        )
    if shape.counters and counters(shape, words) is None:
        return shape_diagnostic(
            shape.counters[0].word, "The counters are no numbers", "packets and bytes"
        )
    return None


def counters(shape: Shape, words: Words) -> Counters | None:
    """What ``-c`` gives."""
    given = ",".join(place.text(words) for place in shape.counters)
    numbers = re.match(r"\s*([+-]?[0-9]+)[^,]*,\s*([+-]?[0-9]+)", given)
    return (_counter(numbers[1]), _counter(numbers[2])) if numbers else None


def _counter(text: str) -> int:
    """64 bits of what scanf(3) reads."""
    return (signed(text) or 0) & ULLONG_MAX


def rule_number(text: str) -> int | None:
    """parse_rulenumber of iptables/xshared.c; None where it is none."""
    number = c_number(text.lstrip(" \t").removeprefix("+"))
    return number if number and number <= INT_MAX else None


def options_after_chain(shape: Shape, words: Words, chains: Set[str]) -> ShapeDiagnostic | None:
    """Options after a jump to one of ``chains``, which were taken for an unknown target's."""
    target = shape.target
    if target is None or target.name.text(words) not in chains:
        return None
    name = target.name.text(words)
    first = target.rest[0]
    return shape_diagnostic(
        first, f"`{name}` is a chain of this table and has no option `{{word}}`", "none"
    )
