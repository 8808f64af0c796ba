"""A command that asks one question has an end, and says what it did not get to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from click.testing import CliRunner, Result

from iptlint import dialects
from iptlint.analysis import bridges, diff, reach
from iptlint.cli import group
from iptlint.linter.budget import OverBudgetError
from iptlint.loads import judges
from tests.cli.conftest import CLEAN, SHADOWED

LIMIT = "the time of 60 s a file (--timeout)"


def cut(*_: object) -> NoReturn:
    """As the timer does, wherever the question is."""
    raise OverBudgetError(LIMIT)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    (tmp_path / "a.v4").write_text(SHADOWED, "utf-8")
    (tmp_path / "b.v4").write_text(CLEAN, "utf-8")
    return str(tmp_path / "a.v4"), str(tmp_path / "b.v4")


def asked(command: str, *words: str) -> Result:
    return CliRunner().invoke(group, [command, *words], standalone_mode=False)


def said(result: Result) -> str:
    return str(getattr(result.exception, "message", "")) + result.stderr


def test_diff_says_that_nothing_is_known(
    files: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diff, "difference", cut)
    result = asked("diff", *files)
    assert f"IPT010: {LIMIT} was not enough to compare" in said(result)
    assert result.stdout == ""


def test_trace_says_that_the_packet_was_not_followed(
    files: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridges, "trace_with_bridges", cut)
    result = asked("trace", "--proto=tcp", files[0])
    assert "not enough to follow the packet to its end" in said(result)


def test_loads_says_which_files_it_did_not_judge(
    files: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judges, "load", cut)
    result = asked("loads", *files)
    assert result.return_value == 2
    for file in files:
        assert f"was not enough to judge {file}" in said(result)


def test_reach_shows_what_it_had_and_counts_the_rest(
    files: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = reach.reach

    def first_and_no_more(*words: object) -> Iterator[object]:
        yield next(ask(*words))  # type: ignore[arg-type]
        cut()

    monkeypatch.setattr(reach, "reach", first_and_no_more)
    result = asked("reach", files[0])
    assert result.return_value == 2
    assert "1 of 2 rules" in said(result)
    assert result.stdout.endswith("1 reachable, 0 conditional, 0 dead\n")


@pytest.mark.parametrize("command", ["reach", "loads", "trace", "diff"])
def test_a_long_file_is_not_read(command: str, files: tuple[str, str]) -> None:
    words = files if command == "diff" else files[:1]
    result = asked(command, "--max-bytes=10", *words)
    assert "is longer than 10 bytes (--max-bytes)" in said(result)


@pytest.mark.parametrize("command", ["reach", "loads", "trace", "diff"])
def test_the_clock_runs(
    command: str, files: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(*_: object) -> NoReturn:
        while True:
            pass

    monkeypatch.setattr(dialects, "read", endless)
    result = asked(command, "--timeout=0.3", *files[: 1 + (command == "diff")])
    assert "the time of 0.3 s a file (--timeout) was not enough" in said(result)
