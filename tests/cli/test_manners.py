"""How ``check`` answers: colours, width, what is left out, and the exit status."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from iptlint.cli import group, options, terminal
from iptlint.linter.budget import Budget
from tests.cli.conftest import BROKEN, CLEAN, Run

SUPPRESSED = "# iptlint: ignore-file=IPT008 none yet\n"


def check(*args: str, text: str = BROKEN, **env: str) -> tuple[int, str]:
    result = CliRunner().invoke(
        group, ["-", *args], input=text, env=env, standalone_mode=False, color=True
    )
    assert result.exception is None, result.exception
    return result.return_value, result.stdout


def test_exit_zero() -> None:
    assert check()[0] == 1
    status, shown = check("--exit-zero")
    assert (status, "IPT001" in shown) == (0, True)


@pytest.mark.parametrize(
    ("args", "env", "coloured"),
    [
        ((), {}, False),
        (("--color", "always"), {}, True),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
        ((), {"FORCE_COLOR": "1"}, True),
        ((), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (("--color", "never"), {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour(args: tuple[str, ...], env: dict[str, str], coloured: bool) -> None:
    cleared = {"NO_COLOR": "", "FORCE_COLOR": ""}
    assert ("\x1b[" in check(*args, **{**cleared, **env})[1]) is coloured


def test_quiet_prints_findings_and_nothing_else() -> None:
    assert check("--quiet", text=CLEAN) == (0, "")
    assert "findings" not in check("-q")[1]


def test_statistics() -> None:
    _, shown = check("--statistics")
    rows = [line.split() for line in shown.split("\n\n")[0].splitlines()]
    assert ["1", "IPT001", "syntax-error"] in rows
    assert [int(row[0]) for row in rows] == sorted((int(row[0]) for row in rows), reverse=True)
    assert "^" not in shown


def test_standard_input_is_called_as_asked() -> None:
    assert check("--stdin-filename", "a/rules.v4")[1].startswith("a/rules.v4:2:17: error IPT001")


def test_comments_are_obeyed_unless_told() -> None:
    assert check(text=SUPPRESSED) == (0, "no findings, 1 suppressed, in 1 file\n")
    status, shown = check("--no-suppressions", text=SUPPRESSED)
    assert (status, "IPT008" in shown, "suppressed" in shown) == (1, True, False)


@pytest.mark.parametrize(("columns", "widest"), [(60, 60), (500, 160), (10, 40)])
def test_text_is_as_wide_as_the_terminal(
    monkeypatch: pytest.MonkeyPatch, columns: int, widest: int
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setattr(
        "shutil.get_terminal_size", lambda fallback: os.terminal_size((columns, 24))
    )
    asked = options.Asked((), (), (), "default", "warning", (), (), Budget())
    assert terminal.look_of(asked).columns == widest


def test_help_of_the_program_lists_the_options_of_check() -> None:
    shown = CliRunner().invoke(group, ["--help"], standalone_mode=False).stdout
    for option in ("--select", "--output-format", "--fail-on", "--exit-zero"):
        assert option in shown


@pytest.mark.parametrize(
    "command",
    [
        *(
            ("check",),
            ("reach",),
            ("explain",),
            ("convert",),
            ("loads",),
            ("matrix",),
            ("diff", "a"),
        ),
        *(("fmt", "--check"), ("apply", "--dry-run"), ("path", "--aws")),
    ],
)
def test_a_variable_that_is_not_set_is_not_the_directory_one_is_in(
    command: tuple[str, ...], run: Run, tmp_path: Path
) -> None:
    """``iptlint fmt "$FILE"`` would write all that is there."""
    for name in ("a", "rules.v4"):
        (tmp_path / name).write_text(CLEAN)
    result = run(*command, "")
    assert result.returncode == 2
    assert "a file is named '', which is no name" in result.stderr


def test_a_link_in_a_checkout_is_no_other_file(tmp_path: Path) -> None:
    """The same file by two names is read once, whatever host it would be of."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "rules.v4").write_text(CLEAN)
    (tmp_path / "b").symlink_to("a")
    result = CliRunner().invoke(
        group,
        [str(tmp_path / "a"), str(tmp_path / "b" / "rules.v4")],
        standalone_mode=False,
    )
    assert result.stdout.endswith("in 1 file\n")
