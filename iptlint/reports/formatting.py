"""What ``fmt`` says of the files it laid out."""

from __future__ import annotations

from collections.abc import Sequence

from iptlint.convert.formatting import Formatted
from iptlint.reports.json_report import VERSION, dumps
from iptlint.reports.safe import visible


def formatting_text(done: Sequence[Formatted], *, written: bool) -> str:
    """A line for each file that is, or would be, changed."""
    says = "laid out" if written else "would be laid out"
    return "".join(f"{visible(each.old.path)}: {says}\n" for each in done if each.changed)


def formatting_json(done: Sequence[Formatted], complaints: Sequence[str]) -> str:
    """``text`` is what a file holds in its layout; null where that could not be proved."""
    files = [
        {
            "path": each.old.path,
            "changed": each.changed,
            "text": None if each.refused else each.new.text,
            "refused": each.refused or None,
        }
        for each in done
    ]
    return dumps({"version": VERSION, "files": files, "errors": list(complaints)})
