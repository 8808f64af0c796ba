"""``iptlint fmt``: what it writes, and its exit status."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from iptlint.cli import group
from tests.expectations import broken

UGLY = "table ip t {\n chain c { }\n}\n"
NICE = "table ip t {\n\tchain c {\n\t}\n}\n"


def run(*arguments: str, text: str = "") -> Result:
    return CliRunner().invoke(group, ["fmt", *arguments], input=text, standalone_mode=False)


def test_a_file_is_written(tmp_path: Path) -> None:
    path = tmp_path / "x.nft"
    path.write_text(UGLY)
    result = run(str(path))
    assert (result.return_value, path.read_text()) == (0, NICE)
    assert result.stderr.endswith("x.nft: laid out\n")
    again = run(str(path))
    assert (again.return_value, again.stderr) == (0, "")


def test_check_and_diff_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.nft"
    path.write_text(UGLY)
    assert run("--check", str(path)).return_value == 1
    shown = run("--diff", str(path))
    assert shown.return_value == 1
    assert "+\tchain c {" in shown.stdout
    assert path.read_text() == UGLY


def test_standard_input_goes_to_standard_output() -> None:
    result = run("-", text=UGLY)
    assert (result.return_value, result.stdout) == (0, NICE)


def test_what_cannot_be_laid_out_is_named_and_the_rest_is_done(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.nft", tmp_path / "bad.sh"
    good.write_text(UGLY)
    bad.write_text("#!/bin/sh\niptables -A INPUT -j DROP\n")
    result = run(str(good), str(bad))
    assert result.return_value == 2
    assert "a script is left as it is" in result.stderr
    assert good.read_text() == NICE


def test_a_file_with_nothing_in_it_is_as_it_is_laid_out(tmp_path: Path) -> None:
    """A folder of files for `nft -f` may hold one with remarks alone; nft takes it."""
    for text in ("", "# nothing yet\n"):
        path = tmp_path / "x.nft"
        path.write_text(text)
        result = run("--check", str(path))
        assert (result.return_value, result.stderr, path.read_text()) == (0, "", text)
        assert run("-", text=text).stdout == text


def test_json() -> None:
    answer = json.loads(run("-", "--output-format", "json", text=UGLY).stdout)
    assert answer == {
        "version": 1,
        "files": [{"path": "-", "changed": True, "text": NICE, "refused": None}],
        "errors": [],
    }
    assert broken(answer, "layout") == []


def test_json_of_what_is_left_as_it_is() -> None:
    answer = json.loads(run("-", "--output-format", "json", text="#!/bin/sh\niptables -L\n").stdout)
    assert broken(answer, "layout") == []
    (file,) = answer["files"]
    assert (file["changed"], file["text"]) == (False, None)


def test_what_could_not_be_written_is_not_called_laid_out(tmp_path: Path) -> None:
    path = tmp_path / "x.nft"
    path.write_text(UGLY)
    (tmp_path / "another_name").hardlink_to(path)
    result = run(str(path))
    assert (result.return_value, path.read_text()) == (2, UGLY)
    assert "x.nft: would be laid out\n" in result.stderr
    assert "no file was changed" in result.stderr
