"""The hook, as pre-commit itself installs and runs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import BROKEN, CLEAN

ROOT = Path(__file__).parent.parent

CONFIG = """\
repos:
  - repo: {repository}
    rev: {revision}
    hooks:
      - id: iptlint
"""


def git(folder: Path, *args: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", *identity, *args]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with this project, as it is now, in one commit."""
    copy = tmp_path / "project"
    listed = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    git(copy, "init", "--quiet")
    git(copy, "add", "--all")
    git(copy, "commit", "--quiet", "--message", "All of it")
    return copy


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("git"), reason="pre-commit needs git")
def test_the_hook_stops_a_commit(project: Path, tmp_path: Path) -> None:
    user = tmp_path / "user"
    user.mkdir()
    revision = git(project, "rev-parse", "HEAD").strip()
    (user / ".pre-commit-config.yaml").write_text(
        CONFIG.format(repository=project.as_uri(), revision=revision)
    )
    (user / "notes.txt").write_text("no firewall\n")
    git(user, "init", "--quiet")

    assert run_hook(user, tmp_path, CLEAN).returncode == 0
    broken = run_hook(user, tmp_path, BROKEN)
    assert broken.returncode == 1
    assert "etc/rules.v4:2:17: error IPT001" in broken.stdout
    assert "notes.txt" not in broken.stdout


def run_hook(user: Path, home: Path, rules: str) -> subprocess.CompletedProcess[str]:
    (user / "etc").mkdir(exist_ok=True)
    (user / "etc" / "rules.v4").write_text(rules)
    git(user, "add", "--all")
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", "run", "--all-files"],
        cwd=user,
        env={**os.environ, "PRE_COMMIT_HOME": str(home / "pre-commit")},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
