"""No name is an option, and nothing that a repository says is run."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from iptlint.cli import group
from iptlint.host.remote import RemoteError, argv
from tests.cli.conftest import CLEAN, SHADOWED

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="git is not here")

PWNED = "pwned"


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, which is the current directory."""
    monkeypatch.chdir(tmp_path)
    git(tmp_path, "init", "-q")
    (tmp_path / "rules.v4").write_text(SHADOWED, "utf-8")
    git(tmp_path, "add", "rules.v4")
    git(tmp_path, "commit", "-qm", "x")
    (tmp_path / "rules.v4").write_text(CLEAN, "utf-8")
    return tmp_path


def asked(*words: str) -> Result:
    return CliRunner().invoke(group, ["diff", *words], standalone_mode=False)


@pytest.mark.parametrize(
    "revision", ["--output=pwned", "-O/etc/passwd", "--ext-diff", "--help", "-p", "$(touch pwned)"]
)
def test_a_revision_that_looks_like_an_option_is_none(revision: str, folder: Path) -> None:
    result = asked(f"--git={revision}", "rules.v4")
    assert revision in str(result.exception)
    assert not (folder / PWNED).exists()


def test_a_file_that_is_called_like_an_option(folder: Path) -> None:
    name = "--output=pwned"
    (folder / name).write_text(SHADOWED, "utf-8")
    git(folder, "add", "--", name)
    git(folder, "commit", "-qm", "y")
    assert asked("--git=HEAD", "--", name).return_value == 0
    assert not (folder / PWNED).exists()


def test_what_a_repository_configures_is_not_run(folder: Path) -> None:
    run = f"touch {folder / PWNED}; false"
    (folder / "hook").write_text(f"#!/bin/sh\n{run}\n", "utf-8")
    (folder / "hook").chmod(0o755)
    (folder / ".gitattributes").write_text("* diff=x filter=x\n", "utf-8")
    settings = {
        **dict.fromkeys(("core.pager", "pager.show", "core.sshCommand", "diff.external"), run),
        **dict.fromkeys(("diff.x.command", "diff.x.textconv", "filter.x.smudge"), run),
        **dict.fromkeys(("filter.x.clean", "filter.x.process", "core.askPass"), run),
        "core.fsmonitor": str(folder / "hook"),
        "gpg.program": str(folder / "hook"),
        "log.showSignature": "true",
    }
    for name, value in settings.items():
        git(folder, "config", name, value)
    result = asked("--git=HEAD", "rules.v4")
    assert result.return_value == 1
    assert not (folder / PWNED).exists()


@pytest.mark.parametrize("url", ["ext::sh -c touch% {pwned}", "{folder}"])
def test_an_object_that_is_not_there_is_not_fetched(url: str, folder: Path) -> None:
    """A partial clone gets it from its remote, by whatever command the configuration names."""
    pwned = folder / PWNED
    blob = git(folder, "rev-parse", "HEAD:rules.v4")
    for name, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": url.format(pwned=pwned, folder=folder),
        "remote.origin.uploadpack": f"touch {pwned}; git-upload-pack",
        "protocol.allow": "always",
        "protocol.ext.allow": "always",
        "protocol.file.allow": "always",
    }.items():
        git(folder, "config", name, value)
    (folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    result = asked("--git=HEAD", "rules.v4")
    assert "HEAD:rules.v4" in str(result.exception)
    assert not pwned.exists()


@pytest.mark.parametrize("name", ["-oProxyCommand=touch pwned", "--", "-F/etc/passwd", "a b", ""])
def test_a_host_that_looks_like_an_option_is_refused(name: str) -> None:
    with pytest.raises(RemoteError, match="no name of a host"):
        argv(name)
