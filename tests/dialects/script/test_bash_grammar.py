"""The grammar of bash is asked no longer than a script may take."""

from __future__ import annotations

from pathlib import Path

import pytest

from iptlint.dialects.script.bash_grammar import LostError, syntax_tree
from iptlint.dialects.script.parser import parse
from iptlint.source import SourceFile

SCRIPTS = sorted(Path("fixtures").rglob("*.sh"))


def test_the_tree_is_that_of_the_whole_text() -> None:
    text = b"iptables -A INPUT -j DROP\n" * 1000
    root = syntax_tree(text)
    assert (root.end_byte, len(root.children), root.has_error) == (len(text), 1000, False)


def test_it_gives_up_where_the_grammar_goes_back_and_back() -> None:
    with pytest.raises(LostError):
        syntax_tree(b"a=(" * 20_000)


@pytest.mark.parametrize("path", SCRIPTS, ids=str)
def test_no_script_is_given_up(path: Path) -> None:
    syntax_tree(path.read_bytes())


def test_of_a_script_that_is_given_up_the_lines_before_are_read() -> None:
    text = "iptables -P INPUT DROP\n" * 20_000 + "a=(" * 50_000
    file = parse(SourceFile("rules.sh", text))
    assert [each.code for each in file.diagnostics] == ["IPT010"]
    assert len(file.statements) > 1000
