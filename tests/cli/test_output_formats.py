from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from iptlint.cli.formats import replace_file
from iptlint.reports.formats import FORMATS
from tests.cli.conftest import BROKEN, CLEAN, Run


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_printed_and_is_utf8(run: Run, name: str) -> None:
    text = BROKEN.replace("--dprot", "--dprät")
    result = run("-", "--output-format", name, text=text, PYTHONIOENCODING="utf-8")
    assert (result.returncode, result.stderr) == (1, "")
    assert "IPT001" in result.stdout


def test_several_formats_in_one_run(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rules.v4").write_text(BROKEN)
    outputs = ("text", "sarif:out.sarif", "json:out.json", "csv:deep.csv")
    asked = [word for output in outputs for word in ("--output-format", output)]
    result = run("rules.v4", *asked)
    assert result.returncode == 1
    assert result.stdout.startswith("rules.v4:2:17: error IPT001")
    found = json.loads((tmp_path / "out.json").read_text("utf-8"))["findings"]
    sarif = json.loads((tmp_path / "out.sarif").read_text("utf-8"))["runs"][0]["results"]
    codes = [each["code"] for each in found]
    assert codes[0] == "IPT001"
    assert codes == [each["ruleId"] for each in sarif]
    with (tmp_path / "deep.csv").open(newline="") as file:
        assert len([*csv.reader(file)]) == 1 + len(codes)
    assert {p.name for p in tmp_path.iterdir()} == {
        *("rules.v4", "out.json", "out.sarif", "deep.csv")
    }


def test_a_file_alone_leaves_standard_output_alone(run: Run, tmp_path: Path) -> None:
    result = run("-", "--output-format", "text:found", text=BROKEN)
    assert (result.returncode, result.stdout, result.stderr) == (1, "", "")
    assert "\x1b" not in (tmp_path / "found").read_text()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["yaml"], "'yaml' is not one of text, concise, grouped, json, json-lines, sarif, github"),
        (["sarif:"], "name the file: sarif:FILE"),
        (["text", "json"], "text and json would both be printed; write one to a file: text:FILE"),
        (["csv:./x", "json:x"], "two formats would be written to the same file"),
    ],
)
def test_what_cannot_be_done_is_a_usage_error(run: Run, asked: list[str], told: str) -> None:
    result = run("-", *(w for a in asked for w in ("--output-format", a)), text=CLEAN)
    assert result.returncode == 2
    assert told in " ".join(result.stderr.split())


def test_a_file_that_cannot_be_written_is_named(run: Run) -> None:
    result = run("-", "--output-format", "sarif:no/such/folder", text=CLEAN)
    assert result.returncode == 2
    assert "cannot write no/such/folder: No such file or directory" in result.stderr


def test_programs_get_an_answer_where_nothing_could_be_read(run: Run) -> None:
    assert json.loads(run("missing", "--output-format", "sarif").stdout)["runs"][0]["results"] == []
    assert run("missing").stdout == ""


def test_what_was_there_is_kept_until_all_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "out"
    file.write_text("before")
    file.chmod(0o640)

    def no_room(self: Path, target: Path) -> Path:
        raise OSError("no room")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", no_room)
        with pytest.raises(OSError, match="no room"):
            replace_file(file, b"after")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert file.read_text() == "before"

    replace_file(file, b"after")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("after", 0o640)


def test_a_link_stays_and_a_device_is_written_to(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("real")
    replace_file(tmp_path / "link", b"x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"x"
    replace_file(Path("/dev/null"), b"x")
    assert Path("/dev/null").is_char_device()


def test_what_a_new_file_may_be_read_by_is_what_the_user_says(run: Run, tmp_path: Path) -> None:
    run("-", "--output-format", "json:out", text=CLEAN)
    (tmp_path / "other").touch()
    modes = {(tmp_path / name).stat().st_mode for name in ("out", "other")}
    assert len(modes) == 1
