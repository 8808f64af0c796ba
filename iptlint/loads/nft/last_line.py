"""A last line that does not end: nft wants a newline after a comment, a define and an include.

The pattern of a comment in src/scanner.l ends before a newline, which has to be there; in
src/parser_bison.y only commands may end with the file. An included file has no end of its own: the
text behind the include goes on in its last line, which an empty line there ends as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.nodes import Node
from iptlint.loads.nft import checks
from iptlint.loads.nft.trial import Trial
from iptlint.source import SourceFile

_UNENDED = (t.Define, t.Include)

_REST_OF_LINE = re.compile(r"[ \t]*(?:;|(?:#[^\n]*)?\n)")
_AN_END = re.compile(r"(?:[ \t]*#[^\n]*\n)*[ \t]*[\n;]")
_NOTHING = re.compile(r"(?:[ \t]*#[^\n]*\n)*[ \t]*\Z")


def check_last_line(
    source: SourceFile, items: Sequence[t.Item], trial: Trial, behind: str | None = None
) -> None:
    """Of the text, and of those that it includes. ``behind``: the text after its include; None
    where it is included by none."""
    for item in items:
        if isinstance(item, t.Include):
            for file, after in _with_what_follows(source, item, behind):
                check_last_line(file.source, file.items, trial, after)
    text = source.text
    if text.endswith("\n"):
        return
    at = max((item.end for item in items), default=0)
    comment = text.find("#", max(at, text.rfind("\n") + 1))
    mend, insert = "end the last line of the file with a newline", (len(text), "\n")
    if comment >= 0:
        node = Node(start=comment, end=len(text))
        cause = "the file ends in a comment that has no end of line: nft takes it for no comment"
        trial.refuse(checks.LAST_LINE, source, node, cause, mend, insert=insert)
    elif items and not text[at:].strip(" \t") and not _is_ended(items[-1], behind):
        node = Node(start=items[-1].start, end=len(text))
        cause = f"the file ends in {_name(items[-1])}, which needs an end of line"
        trial.refuse(checks.LAST_LINE, source, node, cause, mend, insert=insert)


def _with_what_follows(
    source: SourceFile, item: t.Include, behind: str | None
) -> Iterator[tuple[t.IncludedFile, str]]:
    """Each file of an include, with the text that nft reads on with. A pattern that no file fits is
    one of none."""
    line = _REST_OF_LINE.match(source.text, item.end)
    rest = source.text[line.end() if line else len(source.text) :] + (behind or "")
    following = [*(file.source.text for file in item.files[1:]), rest]
    return zip(item.files, following, strict=False)


def _is_ended(item: t.Item, behind: str | None) -> bool:
    """Whether what the file ends in is ended by what stands behind its include."""
    if _NOTHING.match(behind or ""):
        return not isinstance(item, _UNENDED)
    return not isinstance(item, t.Include) and _AN_END.match(behind or "") is not None


def _name(item: t.Item) -> str:
    names = {t.Define: "define", t.Include: "include"}
    return names.get(type(item), "a command")
