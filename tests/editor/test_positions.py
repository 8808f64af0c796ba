"""Where an editor says a character is."""

from __future__ import annotations

import pytest
from lsprotocol import types as lsp

from iptlint.editor.desktop import is_foreign, moved, path_of
from iptlint.editor.positions import Lines
from iptlint.source import SourceFile

TEXT = "aé\U0001f525b\r\n\rxy\u2028z\n"


@pytest.mark.parametrize(
    ("encoding", "columns"),
    [("utf-8", [0, 1, 3, 7]), ("utf-16", [0, 1, 2, 4]), ("utf-32", [0, 1, 2, 3])],
)
def test_columns_count_the_units_that_were_agreed_on(encoding: str, columns: list[int]) -> None:
    lines = Lines(SourceFile("x", TEXT), encoding)
    assert [lines.position(offset).character for offset in range(4)] == columns
    assert [lines.offset(lsp.Position(0, column)) for column in columns] == [0, 1, 2, 3]


def test_every_place_is_found_again() -> None:
    lines = Lines(SourceFile("x", TEXT))
    ends = {5}  # between the two characters of one line's end
    for offset in set(range(len(TEXT) + 1)) - ends:
        assert lines.offset(lines.position(offset)) == offset
    assert lines.position(len(TEXT)) == lsp.Position(3, 0)
    assert lines.offset(lsp.Position(2, 99)) == TEXT.index("z") + 1
    assert lines.offset(lsp.Position(99, 0)) == len(TEXT)


def _at(line: int) -> lsp.Diagnostic:
    start = lsp.Position(line, 0)
    return lsp.Diagnostic(lsp.Range(start, lsp.Position(line, 5)), str(line))


@pytest.mark.parametrize(
    ("new", "kept"),
    [
        ("a\nb\nc\nd\n", {"0": 0, "1": 1, "2": 2, "3": 3}),
        ("a\nX\nc\nd\n", {"0": 0, "2": 2, "3": 3}),
        ("a\nb\nb2\nb3\nc\nd\n", {"0": 0, "1": 1, "2": 4, "3": 5}),
        ("a\nd\n", {"0": 0, "3": 1}),
        ("", {}),
    ],
)
def test_what_was_told_moves_with_the_lines_that_stay(new: str, kept: dict[str, int]) -> None:
    told = moved([_at(line) for line in range(4)], "a\nb\nc\nd\n", new)
    assert {each.message: each.range.start.line for each in told} == kept


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///etc/iptables/rules%20a.v4", "/etc/iptables/rules a.v4"),
        ("untitled:Untitled-1", "Untitled-1"),
        ("", "untitled"),
    ],
)
def test_a_file_is_called_by_its_path(uri: str, path: str) -> None:
    assert path_of(uri) == path


def test_toml_that_holds_no_policy_tests_is_left_alone() -> None:
    assert is_foreign("file:///a/pyproject.toml")
    assert not is_foreign("file:///a/iptlint.tests.toml")
    assert not is_foreign("file:///a/rules.v4")
