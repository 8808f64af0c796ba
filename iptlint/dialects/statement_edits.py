"""Edits of statements that have their lines for themselves.

Whole lines go and come, so that the layout of the others stays as it is. A remark behind a
statement speaks of it and goes with it; one above may speak of all that follow, and stays.
"""

from __future__ import annotations

import re

from iptlint.maker import maker
from iptlint.model import Decided, Rule, Uncertain
from iptlint.source import Edit, SourceFile, Span

_edit, _span = maker(Edit), maker(Span)

BLANK = re.compile(r"[ \t]*")
NOTHING_BEHIND = re.compile(r"[ \t\r]*")
REMARK_BEHIND = re.compile(r"[ \t]*;?[ \t]*(?:#.*)?\r?")

_GOES_ON = re.compile(r"(?:\\|&&|\|\|?)\s*$")
"""How a line ends that the next one belongs to."""


def lines_of(span: Span, before: re.Pattern[str], behind: re.Pattern[str]) -> Span | None:
    """The lines of the statement, with their ends; None where anything else stands on them, but for
    what ``before`` and ``behind`` fit."""
    source, text = span.source, span.source.text
    start = text.rfind("\n", 0, span.start) + 1
    end = text.find("\n", span.end)
    end = len(text) if end < 0 else end
    if start < span.start and not before.fullmatch(text, start, span.start):
        return None
    if end > span.end and not behind.fullmatch(text, span.end, end):
        return None
    if _belongs_to_the_one_above(source, start):
        return None
    return _span(source, start, min(end + 1, len(text)))


def _belongs_to_the_one_above(source: SourceFile, start: int) -> bool:
    """Whether the line that begins at ``start`` does."""
    last = source.text[max(0, start - 2) : max(0, start - 1)]
    if not last or last.isalnum():  # as nearly all lines end
        return False
    above = source.text.rfind("\n", 0, max(0, start - 1)) + 1
    return bool(_GOES_ON.search(source.text, above, max(0, start - 1)))


def without_lines(span: Span, before: re.Pattern[str], behind: re.Pattern[str]) -> Edit | None:
    lines = lines_of(span, before, behind)
    return None if lines is None else _edit(lines, "")


def without_block(span: Span, before: re.Pattern[str], behind: re.Pattern[str]) -> Edit | None:
    """Without the lines, and without the empty line behind them where one is above them too, or
    where they are the first of a block."""
    lines = lines_of(span, before, behind)
    if lines is None:
        return None
    above = lines.source.line_text(lines.line - 1).strip() if lines.line > 1 else ""
    empty = _EMPTY_LINE.match(lines.source.text, lines.end)
    if empty and (not above or above.endswith("{")):
        lines = Span(lines.source, lines.start, empty.end())
    return Edit(lines, "")


_EMPTY_LINE = re.compile(r"[ \t\r]*\n")


def line_above(span: Span, text: str, before: re.Pattern[str]) -> Edit | None:
    """A line for the text, above that of the statement and above the remarks on it, indented alike;
    None where the statement begins no line of its own."""
    source, line = span.source, span.line
    start = source.line_starts[line - 1]
    alone = before.fullmatch(source.text, start, span.start)
    if not alone or _belongs_to_the_one_above(source, start):
        return None
    indent = BLANK.match(source.text, start)
    while line > 1 and source.line_text(line - 1).lstrip().startswith("#"):
        line -= 1
    end = "\r\n" if source.text[: source.text.find("\n") + 1].endswith("\r\n") else "\n"
    place = source.line_starts[line - 1]
    return Edit(Span(source, place, place), f"{indent[0] if indent else ''}{text}{end}")


def moved_lines(taken: Edit | None, other: Span) -> tuple[Edit, ...] | None:
    """The lines that are taken out, put above those of the other statement and of the remarks on
    it; None where they are no whole lines, or the other one begins none."""
    place = line_above(other, "", BLANK)
    if taken is None or place is None or not taken.span.text.endswith("\n"):
        return None
    if taken.span.column > 1 or taken.span.source is not other.source:
        return None
    return Edit(place.span, taken.span.text), taken


# -- between others on a line -----------------------------------------------------------------

_ENDED = re.compile(r"[ \t]*;[ \t]*")
_BEGUN = re.compile(r"[{;][ \t]*$")


def without_part_of_line(span: Span) -> Edit | None:
    """Of several statements of nft on one line, without this one and the sign behind it."""
    source = span.source
    start = source.line_starts[span.line - 1]
    line = source.text[start : span.start]
    ended = _ENDED.match(source.text, span.end)
    if "#" in line or ended is None or not (_BEGUN.search(line) or not line.strip()):
        return None
    return Edit(Span(source, span.start, ended.end()), "")


# -- commands of a script ---------------------------------------------------------------------

_OPENS = re.compile(r"(?:\b(?:then|do|else)|[{)]|;;)$")
_CLOSES = re.compile(r"(?:fi|done|else|elif|esac|;;|\})(?!\w)")


def is_carried_out_once(rule: Rule) -> bool:
    """Whether the command stands outside of loops, functions and conditions."""
    is_told = any(
        isinstance(match, Decided) or (isinstance(match, Uncertain) and match.kind == "script")
        for match in rule.matches
    )
    return not is_told and not rule.occasions


def is_alone_in_its_body(span: Span) -> bool:
    """Whether a body would be empty without the command, which a shell refuses."""
    above, below = _neighbour(span.source, span.line, -1), _neighbour(span.source, span.end_line, 1)
    return bool(_OPENS.search(above) and _CLOSES.match(below))


def is_asked_about(span: Span) -> bool:
    """Whether the next command looks at how this one ended."""
    return "$?" in _neighbour(span.source, span.end_line, 1)


def _neighbour(source: SourceFile, line: int, step: int) -> str:
    """The next line above or below that says something."""
    line += step
    while 1 <= line <= len(source.line_starts):
        text = source.line_text(line).strip()
        if text and not text.startswith("#"):
            return text
        line += step
    return ""
