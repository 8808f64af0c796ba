"""What is written to iptlint in the comments of a text.

A directive stands in a comment: on a line of its own, behind an nft statement or a command of a
script, or in the comment of a rule itself, which the kernel keeps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import Enum

from iptlint.model.near_words import nearest
from iptlint.source import SourceFile, Span


class Reach(Enum):
    """What a directive speaks for."""

    STATEMENT = "ignore"
    CHAIN = "ignore-chain"
    FILE = "ignore-file"


@dataclass(frozen=True, slots=True)
class Directive:
    """A suppression as written. ``codes`` empty: every finding. ``fault``: why it is none, in
    words; then it hides nothing. ``inside``: it stands in the statement that it speaks for."""

    span: Span
    reach: Reach
    codes: tuple[str, ...]
    reason: str | None
    inside: bool = False
    fault: str = ""


_MARK = re.compile(
    r"(?P<own>^[ \t]*#[ \t]*)iptlint:(?P<own_body>[^\n]*)"
    r"|(?P<slip>^[ \t]*#[ \t]*iptlint[ \t]+(?:ignore|disable)[\w-]*[ \t]*[=\[][^\n]*)"
    r"|(?P<kept>\bcomment[ \t]+(?P<quote>\\?[\"'])[ \t]*)iptlint:(?P<kept_body>[^\"'\\\n]*)"
    r"|(?P<behind>(?:(?<=\\\n)|^[ \t]*[^\s#*:\[-])[^\n]*?[ \t;{}]#[ \t]*)"
    r"iptlint:(?P<behind_body>[^\n]*)",
    re.MULTILINE,
)
_BODY = re.compile(
    r"(?P<word>[\w-]*)(?:[ \t]*(?:=[ \t]*(?P<equals>[^\s,]+(?:[ \t]*,[ \t]*[^\s,]+)*)"
    r"|\[[ \t]*(?P<brackets>[^\]\n]*)\])|(?=[ \t]|$))(?:[ \t]+(?P<reason>\S.*))?"
)
_CODE = re.compile(r"\bIPT\d+\b", re.IGNORECASE)
_LIST = re.compile(r"[\w-]+(?:[ \t]*,[ \t]*[\w-]+)*")
_SYNONYMS = {"disable": "ignore", "noqa": "ignore", "disable-file": "ignore-file"}


def directives(source: SourceFile, names: Collection[str]) -> Iterator[Directive]:
    """Those of a source, in order. ``names``: what rules are called."""
    if "iptlint" not in source.text:
        return
    for match in _MARK.finditer(source.text):
        if match["slip"] is not None:
            yield _faulty(
                Span(source, match.start(), match.end()), "a colon is missing: # iptlint:"
            )
        elif match["own"] is not None:
            yield _directive(source, match, "own", names)
        elif match["kept"] is not None:
            yield _directive(source, match, "kept", names, inside=True)
        elif _is_comment(match["behind"]):
            yield _directive(source, match, "behind", names, inside=True)


def _is_comment(before: str) -> bool:
    """Whether the ``#`` at the end of ``before`` is outside of quotes."""
    quoted = ""
    for character in before:
        if character in "\"'" and quoted in ("", character):
            quoted = "" if quoted else character
    return not quoted


def _directive(
    source: SourceFile,
    match: re.Match[str],
    kind: str,
    names: Collection[str],
    *,
    inside: bool = False,
) -> Directive:
    body = match[f"{kind}_body"]
    start = match.end(kind) if inside else match.start()
    span = Span(source, start, start + len(source.text[start : match.end()].rstrip()))
    whole = _BODY.fullmatch(body.strip())
    if whole is None:
        return _faulty(span, _misread(body.strip()))
    if fault := _fault(whole, names):
        return _faulty(span, fault)
    listed = whole["equals"] or whole["brackets"] or ""
    codes = tuple(code.strip() for code in listed.split(",") if code.strip())
    return Directive(span, Reach(whole["word"]), codes, whole["reason"], inside)


def _faulty(span: Span, fault: str) -> Directive:
    return Directive(span, Reach.STATEMENT, (), None, fault=fault)


def _fault(found: re.Match[str], names: Collection[str]) -> str:
    """Why it cannot be meant as written: the first reason of a table."""
    return next((fault for check in _CHECKS if (fault := check(found, names))), "")


def _unknown_word(found: re.Match[str], names: Collection[str]) -> str:
    word, known = found["word"], [reach.value for reach in Reach]
    if word in known:
        return ""
    near = _SYNONYMS.get(word) or nearest(word, known) or known[0]
    return f"there is no {word!r} (did you mean {near}?)"


def _bad_list(found: re.Match[str], names: Collection[str]) -> str:
    listed = found["equals"] if found["equals"] is not None else found["brackets"]
    if listed is None or _LIST.fullmatch(listed.strip()):
        return ""
    return f"{listed!r} is no list of codes or names with commas between them"


def _code_in_reason(found: re.Match[str], names: Collection[str]) -> str:
    """A code without ``=`` would be part of the reason, and every finding hidden."""
    if found["equals"] is not None or found["brackets"] is not None:
        return ""
    reason = found["reason"] or ""
    first = reason.split(maxsplit=1)[0].strip(",:;=") if reason else ""
    code = _CODE.search(reason)
    meant = code[0] if code else first if first in names else ""
    return f"write {found['word']}={meant} to name a rule" if meant else ""


_CHECKS: tuple[Callable[[re.Match[str], Collection[str]], str], ...] = (
    _unknown_word,
    _bad_list,
    _code_in_reason,
)


def _misread(body: str) -> str:
    word = re.match(r"[\w-]*", body)
    known = {reach.value for reach in Reach}
    form = word[0] if word and word[0] in known else "ignore"
    return f"write {form}=CODE reason, or {form}[CODE] reason"
