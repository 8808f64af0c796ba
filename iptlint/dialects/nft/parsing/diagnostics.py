"""What is said of a statement that is none: found, expected, and what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from iptlint.dialects.nft.nodes import Place
from iptlint.dialects.nft.parsing.errors import NftSyntaxError
from iptlint.dialects.nft.parsing.language import accepted, language
from iptlint.dialects.nft.parsing.selectors import FIRST_WORDS, fields_after
from iptlint.dialects.nft.parsing.verbs import COMMANDS, KINDS, kinds_of
from iptlint.model.near_words import nearest

_KINDS = {
    "WORD": "a word",
    "NUMBER": "a number",
    "TIME": "a time such as 1h30m",
    "ADDRESS": "an address",
    "STRING": "a string in quotes",
    "WILDCARD": "a name with *",
    "CLASSID": "a class such as 1:10",
    "SELECTOR": "an expression such as `tcp dport`",
    "$END": "the end of the statement",
}
_TWO_WORDS = re.compile(r"([A-Za-z0-9_-]+)[ \t]+([A-Za-z0-9_-]+)")
_WORD_BEFORE = re.compile(r"(?<![A-Za-z0-9_-])ct[ \t]+$")
_MOST = 6
"""More alternatives than this help nobody."""


def syntax_error(error: UnexpectedInput, text: str, base: int, context: str) -> NftSyntaxError:
    """The error for what lark refused in a statement that begins at ``base``."""
    at = len(text) if error.pos_in_stream is None else error.pos_in_stream
    known = _unknown_command(text, base) if context == "top" else None
    return known or _unknown_field(text, at, base) or _unexpected(error, text, at, base)


def _unexpected(error: UnexpectedInput, text: str, at: int, base: int) -> NftSyntaxError:
    expected = _expected(error)
    if isinstance(error, UnexpectedToken) and error.token.type != "$END":
        word = str(error.token)
    else:
        word = text[at : at + 1] if isinstance(error, UnexpectedCharacters) else ""
    if not word:
        at = len(text.rstrip())
    message = f"`{word}` is not expected here" if word else "The statement ends too early"
    place = Place(start=base + at, end=base + max(at + len(word), at + 1))
    hint = _joined(text, at, word) or _hint(word, expected)
    return NftSyntaxError(message, _sentence(expected), hint, **place)


def _joined(text: str, at: int, word: str) -> str | None:
    """A backslash joins a line with the next one, and so it stands at its very end."""
    if word == "\\":
        return "A `\\` joins a line with the next and is the last character of it: delete this one."
    if text[: text.rfind("\n", 0, at) + 1].endswith("\\\n"):
        return "The line before ends with `\\`, so that this one goes on with it: delete the `\\`."
    return None


def _unknown_field(text: str, at: int, base: int) -> NftSyntaxError | None:
    """``tcp dprot``: the protocol is one, what follows is none of its fields."""
    before = _WORD_BEFORE.search(text, 0, at)  # `ct` may begin more than a selector
    match = _TWO_WORDS.match(text, at if before is None else before.start())
    fields = fields_after(match[1]) if match else ()
    if match is None or not fields or match[2] in fields:
        return None
    place = Place(start=base + match.start(2), end=base + match.end(2))
    message = f"`{match[2]}` is no field of `{match[1]}`"
    hint = _did_you_mean(match[2], fields, f"{match[1]} ")
    return NftSyntaxError(message, f"one of {', '.join(fields)}", hint, **place)


def _unknown_command(text: str, base: int) -> NftSyntaxError | None:
    """``tabel ip t``, ``add ruel``: any word may name a table, so the grammar goes on."""
    match = _TWO_WORDS.match(text)
    if match is None:
        return None
    group, words = (2, kinds_of(match[1])) if match[1] in KINDS else (1, COMMANDS)
    near = _did_you_mean(match[group], words)
    if near is None or match[group] in words:
        return None
    place = Place(start=base + match.start(group), end=base + match.end(group))
    return NftSyntaxError(
        f"`{match[group]}` is no command", f"one of {', '.join(words)}", near, **place
    )


def _expected(error: UnexpectedInput) -> list[str]:
    parser = getattr(error, "interactive_parser", None)
    terminals = accepted(parser) if parser else getattr(error, "allowed", None) or ()
    return sorted(terminals)


def _spelled(terminal: str) -> str:
    if terminal in _KINDS:
        return _KINDS[terminal]
    pattern = language().get_terminal(terminal).pattern
    return f"`{pattern.value}`" if pattern.type == "str" else terminal.lower()


def _sentence(terminals: list[str]) -> str:
    if len(terminals) <= _MOST:
        return " or ".join(map(_spelled, terminals))
    kinds = [_KINDS[name] for name in terminals if name in _KINDS]
    return " or ".join(kinds[:_MOST] or [*map(_spelled, terminals[:_MOST]), "…"])


def _keywords(terminals: Iterable[str]) -> list[str]:
    patterns = (language().get_terminal(name).pattern for name in terminals if name != "$END")
    return [pattern.value for pattern in patterns if pattern.type == "str"]


def _hint(word: str, terminals: list[str]) -> str | None:
    """The nearest word that could stand here."""
    return _did_you_mean(word, _words_of(tuple(terminals)))


@lru_cache(64)
def _words_of(terminals: tuple[str, ...]) -> tuple[str, ...]:
    return (*_keywords(terminals), *(FIRST_WORDS if "SELECTOR" in terminals else ()))


def _did_you_mean(word: str, words: Iterable[str], before: str = "") -> str | None:
    near = nearest(word, tuple(words))
    return f"Did you mean `{before}{near}`?" if near else None
