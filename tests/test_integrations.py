"""What pipelines run, run here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from iptlint.cli import group
from tests.cli.conftest import BROKEN, CLEAN
from tests.parts import Part

ROOT = Path(__file__).parent.parent


def document(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text("utf-8"))


@pytest.fixture
def runner(tmp_path: Path) -> Path:
    """The folder of a GitHub runner in which the first step of the action has installed iptlint."""
    program = tmp_path / "iptlint" / "bin" / "iptlint"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m iptlint "$@"\n')
    program.chmod(0o755)
    (tmp_path / "hosts").mkdir()
    (tmp_path / "hosts" / "rules.v4").write_text(BROKEN)
    return tmp_path


def check_step(runner: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    given = {"FILES": "", "ARGS": "", "SARIF": "", **inputs}
    return step("Check", runner, given, PYTHONPATH=str(ROOT))


def step(
    name: str, runner: Path, given: dict[str, str], **more: str
) -> subprocess.CompletedProcess[str]:
    (asked,) = (s for s in document("action.yml")["runs"]["steps"] if s["name"] == name)
    assert {*asked["env"]} == {*given}
    around = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", asked["run"]],
        env={**around, "RUNNER_TEMP": str(runner), **given, **more},
        cwd=runner,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.skipif(not shutil.which("bash"), reason="the steps are bash's")
def test_the_action_annotates_and_writes_sarif(runner: Path) -> None:
    done = check_step(runner, FILES="hosts", SARIF="out.sarif", ARGS="--select 'IPT001'")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("::error file=hosts/rules.v4,line=2,")
    assert (runner / "out.sarif").is_file()


@pytest.mark.skipif(not shutil.which("bash"), reason="the steps are bash's")
def test_an_input_of_the_action_is_no_command(runner: Path) -> None:
    check_step(runner, FILES="hosts;touch$IFS'x' $(touch x) `touch x` --output-format=json:x")
    assert not (runner / "x").exists()


@pytest.mark.skipif(not shutil.which("bash"), reason="the steps are bash's")
def test_the_action_installs_itself(tmp_path: Path, part: Part) -> None:
    if not part.whole:
        pytest.skip("what is installed comes from a registry: --long")
    installed = step("Install iptlint", tmp_path, {"VERSION": "", "ACTION_PATH": str(ROOT)})
    assert installed.returncode == 0, installed.stderr
    (tmp_path / "rules.v4").write_text(BROKEN)
    done = step("Check", tmp_path, {"FILES": "rules.v4", "ARGS": "", "SARIF": ""})
    assert "::error file=rules.v4,line=2," in done.stdout


def test_no_step_of_the_action_has_an_expression_in_its_script() -> None:
    for each in document("action.yml")["runs"]["steps"]:
        assert "${{" not in each["run"]


def test_the_template_of_gitlab_asks_for_what_there_is() -> None:
    (call,) = (
        line
        for line in document("integrations/gitlab.yml")["iptlint"]["script"]
        if line.startswith("iptlint")
    )
    asked = re.findall(r"--output-format (\S+)", call)
    words = [word for each in asked for word in ("--output-format", each)]
    with CliRunner().isolated_filesystem():
        CliRunner().invoke(group, ["-", *words], input=BROKEN, standalone_mode=False)
        reports = document("integrations/gitlab.yml")["iptlint"]["artifacts"]["reports"]
        assert all(Path(path).is_file() for path in reports.values())


@pytest.mark.parametrize(
    ("hook", "name", "matches"),
    [
        ("iptlint", "etc/iptables/rules.v6", True),
        ("iptlint", "notes.txt", False),
        ("iptlint-scripts", "bin/firewall.sh", True),
        ("iptlint-scripts", "bin/deploy.sh", False),
    ],
)
def test_which_files_the_hooks_are_for(hook: str, name: str, matches: bool) -> None:
    (found,) = (each for each in document(".pre-commit-hooks.yaml") if each["id"] == hook)
    assert bool(re.search(found["files"], name)) is matches


def test_the_twin_of_a_staged_file_is_judged_with_it(tmp_path: Path) -> None:
    for name in ("rules.v4", "rules.v6", "ipsets", "other.v6"):
        (tmp_path / name).write_text(CLEAN if name.startswith("rules") else "create a hash:ip\n")
    asked = ["check", "--twins", str(tmp_path / "rules.v4")]
    result = CliRunner().invoke(group, [*asked, "--exit-zero"], standalone_mode=False)
    assert result.stdout.endswith("in 3 files\n")


def test_the_image_runs_as_nobody() -> None:
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    last = max(number for number, line in enumerate(lines) if line.startswith("FROM "))
    assert "USER 65534:65534" in lines[last:]
    assert 'ENTRYPOINT ["iptlint"]' in lines[last:]
