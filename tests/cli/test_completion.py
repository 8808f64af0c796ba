"""What a shell is told of how a line may go on, in a process of its own, as a shell asks."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from iptlint.cli import group
from tests.cli.conftest import Run

SHELLS = ("bash", "zsh", "fish")


@pytest.mark.parametrize("shell", SHELLS)
def test_what_it_prints_is_a_script_of_that_shell(shell: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(group, ["completion", shell], standalone_mode=False)
    assert f"_IPTLINT_COMPLETE={shell}_complete" in result.stdout
    if shutil.which(shell):
        (tmp_path / "script").write_text(result.stdout)
        subprocess.run([shell, "-n", str(tmp_path / "script")], check=True, timeout=60)


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("iptlint rul", "plain,rule"),
        ("iptlint --sel", "plain,--select"),
        ("iptlint check --out", "plain,--output-format"),
        ("iptlint rules.v4 --exit", "plain,--exit-zero"),
        ("iptlint check --fail-on nev", "plain,never"),
        ("iptlint ru", "file,ru"),
        ("iptlint check --output-format sa", "plain,sarif"),
        ("iptlint test --output-format ju", "plain,junit"),
        ("iptlint rule IPT10", "plain,IPT101"),
        ("iptlint rule shadowed", "plain,shadowed-rule"),
    ],
)
def test_a_line_goes_on(run: Run, line: str, offered: str) -> None:
    words = line.split(" ")
    asked = {"_IPTLINT_COMPLETE": "bash_complete", "COMP_WORDS": line}
    result = run(**asked, COMP_CWORD=str(len(words) - 1))
    assert (result.returncode, result.stderr) == (0, "")
    assert offered in result.stdout.splitlines()


def test_who_names_no_shell_reads_which_there_are(run: Run) -> None:
    lines = run("completion").stderr.splitlines()
    assert lines[-3:] == ["    bash,", "    zsh,", "    fish"]
