"""A last line that does not end: nft wants a newline after a comment, a define and an include.

The pattern of a comment in src/scanner.l ends before a newline, which has to be there; in
src/parser_bison.y only commands may end with the file.
"""

from __future__ import annotations

from collections.abc import Sequence

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.nodes import Node
from iptlint.loads.nft import checks
from iptlint.loads.nft.trial import Trial
from iptlint.source import SourceFile

_UNENDED = (t.Define, t.Include)


def check_last_line(source: SourceFile, items: Sequence[t.Item], trial: Trial) -> None:
    """Of the text, and of those that it includes."""
    for item in items:
        if isinstance(item, t.Include):
            for file in item.files:
                check_last_line(file.source, file.items, trial)
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
    elif items and isinstance(items[-1], _UNENDED) and not text[at:].strip(" \t"):
        word = "include" if isinstance(items[-1], t.Include) else "define"
        node = Node(start=items[-1].start, end=len(text))
        cause = f"the file ends in {word}, which needs an end of line"
        trial.refuse(checks.LAST_LINE, source, node, cause, mend, insert=insert)
