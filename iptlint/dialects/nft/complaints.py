"""What is said of a statement that is none: found, expected, and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from iptlint.dialects.nft.faults import Fault
from iptlint.dialects.nft.language import language
from iptlint.dialects.nft.selectors import FIRST_WORDS, fields_after

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
_MOST = 6
"""More alternatives than this help nobody."""


def fault_of(error: UnexpectedInput, text: str, base: int) -> Fault:
    """The fault for what lark refused in a statement that begins at ``base``."""
    at = len(text) if error.pos_in_stream is None else error.pos_in_stream
    expected = _expected(error)
    if isinstance(error, UnexpectedToken) and error.token.type != "$END":
        found = str(error.token)
    else:
        found = text[at : at + 1] if isinstance(error, UnexpectedCharacters) else ""
    if not found:
        at = len(text.rstrip())
    message = f"`{found}` is not expected here" if found else "The statement ends too early"
    place = {"start": base + at, "end": base + max(at + len(found), at + 1)}
    return Fault(message, _sentence(expected), _hint(found, text, at, expected), **place)


def _expected(error: UnexpectedInput) -> list[str]:
    parser = getattr(error, "interactive_parser", None)
    terminals = parser.accepts() if parser else getattr(error, "allowed", None) or ()
    return sorted(terminals)


def _spelled(terminal: str) -> str:
    if terminal in _KINDS:
        return _KINDS[terminal]
    pattern = language().get_terminal(terminal).pattern
    return f"`{pattern.value}`" if pattern.type == "str" else terminal.lower()


def _sentence(terminals: list[str]) -> str:
    if len(terminals) > _MOST:
        kinds = [_KINDS[name] for name in terminals if name in _KINDS]
        return " or ".join(kinds[:_MOST])
    return " or ".join(map(_spelled, terminals))


def _keywords(terminals: Iterable[str]) -> list[str]:
    patterns = (language().get_terminal(name).pattern for name in terminals if name != "$END")
    return [pattern.value for pattern in patterns if pattern.type == "str"]


def _hint(found: str, text: str, at: int, terminals: list[str]) -> str | None:
    """The nearest word that could stand here, or fields of the protocol just named."""
    following = text[at:].split(maxsplit=2)
    if len(following) > 1 and fields_after(found):
        return _did_you_mean(following[1], fields_after(found), found + " ")
    words = [*_keywords(terminals), *(FIRST_WORDS if "SELECTOR" in terminals else ())]
    return _did_you_mean(found, words)


def _did_you_mean(found: str, words: Iterable[str], before: str = "") -> str | None:
    near = get_close_matches(found, list(words), n=1)
    return f"Did you mean `{before}{near[0]}`?" if near else None
