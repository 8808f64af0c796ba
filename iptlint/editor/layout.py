"""The document as `iptlint fmt` lays it out."""

from __future__ import annotations

from lsprotocol import types as lsp

from iptlint.convert.formatting import formatted
from iptlint.editor.desk import Seen


def layout(seen: Seen) -> list[lsp.TextEdit] | str:
    """The edits, none where it is laid out; or why it is left as it is."""
    done = formatted(seen.source, seen.host.reader)
    if done.refused:
        return done.refused
    if not done.changed:
        return []
    old, new = seen.source.text, done.new.text
    # What stays at either end is not touched: places that the editor keeps stay where they are.
    most = min(len(old), len(new))
    start = next((n for n in range(most) if old[n] != new[n]), most)
    end = next((n for n in range(most - start) if old[-1 - n] != new[-1 - n]), most - start)
    # Whole lines: an editor has no place within the two characters that may end one.
    start = old.rfind("\n", 0, start) + 1
    line = old.find("\n", len(old) - end)
    end = 0 if line < 0 else len(old) - line - 1
    return [lsp.TextEdit(seen.lines.range(start, len(old) - end), new[start : len(new) - end])]
