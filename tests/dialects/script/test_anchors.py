"""Where `^` and `$` of a basic regular expression are anchors, and where they are signs.

The real sed says the same of each.
"""

from __future__ import annotations

import shutil
import subprocess

import pytest

from iptlint.dialects.script.regular import regular

FOUND = {
    "$LAN": {"iif $LAN": 4, "LAN": None},
    "a$": {"ba": 1, "a$": None},
    "\\(a$\\)": {"ba": 1, "a$": None},
    "^a": {"ab": 0, "^a": None},
    "\\(^a\\)": {"ab": 0, "^a": None},
    "b^a": {"cb^a": 1, "ba": None},
    "$*a": {"x$a": 1, "xa": 1},
}
CASES = [(old, text, at) for old, texts in FOUND.items() for text, at in texts.items()]


@pytest.mark.parametrize(("old", "text", "at"), CASES)
def test_it_is_found_where_sed_finds_it(old: str, text: str, at: int | None) -> None:
    expression = regular(old, extended=False)
    assert expression is not None
    found = expression.search(text)
    assert (None if found is None else found.start()) == at
    if shutil.which("sed"):
        command = ["sed", f"s/{old}/#/"]
        put = subprocess.run(command, input=text, text=True, capture_output=True, check=True)
        assert put.stdout.find("#") == (-1 if at is None else at)
