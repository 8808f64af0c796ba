"""What needs no kernel; `tests/kernel/test_apply.py` has the rest."""

from __future__ import annotations

import os

import pytest
from click.testing import CliRunner

from iptlint.cli import group
from tests.cli.conftest import Run


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--confirm", "--roll-back"), "say one"),
        (("--confirm", "rules.v4"), "name no file"),
        (("--confirm-within", "1", "rules.v4"), "1.0 is not in the range x>=5"),
    ],
)
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs root")
def test_what_cannot_be_meant(run: Run, args: tuple[str, ...], said: str) -> None:
    result = run("apply", *args)
    assert (result.returncode, result.stdout) == (2, "")
    assert said in result.stderr


@pytest.mark.parametrize("args", [("apply", "x.v4"), ("diff", "--live", "x.v4")])
def test_who_is_not_root_is_told_in_one_line(
    args: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    result = CliRunner().invoke(group, args, standalone_mode=False)
    assert result.exception is not None
    said = str(result.exception)
    assert f"use sudo, as in `sudo iptlint {args[0]}" in said
    assert "\n" not in said
