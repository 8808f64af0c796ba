"""What a run may take: each question is cut by itself, and one finding says what is missing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from iptlint.analysis.session import Context
from iptlint.dialects.decode import decode
from iptlint.findings import Finding
from iptlint.linter import run
from iptlint.linter.budget import Budget, OverBudgetError, Watch
from iptlint.linter.report import Report
from iptlint.rules.registry import RuleModule

OPEN = b"*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n"
pytestmark = pytest.mark.skipif(os.name != "posix", reason="timers of POSIX")


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes a rule go on for ever."""

    def endless(_: Context) -> Iterator[Finding]:
        while True:
            time.sleep(0.01)
        yield

    def replace(code: str) -> None:
        changed = tuple(
            RuleModule(r.meta, r.documentation, endless if r.meta.code == code else r.check)
            for r in run.rules()
        )
        monkeypatch.setattr(run, "rules", lambda: changed)

    return replace


def linted(budget: Budget, text: bytes = OPEN) -> Report:
    return run.lint([decode("rules.v4", text)], budget=budget)


def limits(report: Report) -> list[str]:
    return [finding.message for finding in report.findings if finding.code == "IPT010"]


def test_one_question_that_takes_too_long_is_cut_and_the_others_are_asked(
    slow: Callable[[str], None],
) -> None:
    slow("IPT101")
    report = linted(Budget(seconds=8))
    assert limits(report) == [
        "the time of 8 s a file (--timeout) was not enough, so IPT101 did not look at everything"
    ]
    assert "IPT601" in {finding.code for finding in report.findings}
    assert not report.crashed


def test_what_is_cut_is_one_finding(slow: Callable[[str], None]) -> None:
    for code in ("IPT101", "IPT102", "IPT103", "IPT104", "IPT105", "IPT106"):
        slow(code)
    (message,) = limits(linted(Budget(seconds=2)))
    assert "IPT101, IPT102, IPT103" in message


def test_a_finding_that_cannot_be_told_in_full_is_told_in_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What works its message out goes on for ever, or fails: it is told as it is, and that too."""
    lost = b"-A INPUT -p tcp -j ACCEPT\n-A INPUT -p tcp --dport 22 -j DROP\n"
    text = OPEN.replace(b"COMMIT", lost + b"COMMIT")

    def endless(*_: object) -> str:
        while True:
            time.sleep(0.01)

    def failing(*_: object) -> str:
        raise ZeroDivisionError

    for fault in (endless, failing):
        monkeypatch.setattr("iptlint.findings.shadowing.actions", fault)
        report = linted(Budget(seconds=8), text)
        (told,) = [finding for finding in report.findings if finding.code == "IPT101"]
        assert told.message == "this DROP never happens: line 3 accepts these packets"
        assert report.crashed == (fault is failing)
        assert len(limits(report)) == (fault is endless)


def test_a_finding_that_takes_the_place_of_a_hidden_one_is_told_in_full() -> None:
    lost = b"-A INPUT -p tcp -j ACCEPT\n" + b"".join(
        b"-A INPUT -p tcp --dport %d -j DROP%s\n" % (port, hidden)
        for port, hidden in ((22, b" # iptlint: ignore[IPT101]"), (23, b""), (24, b""))
    )
    report = linted(Budget(), OPEN.replace(b"COMMIT", lost + b"COMMIT"))
    (told,) = [finding for finding in report.findings if finding.code == "IPT101"]
    assert (told.span.line, told.witness is not None) == (5, True)
    assert "accepts all of these packets first" in told.message


def test_memory_that_is_not_enough_is_no_crash(slow: Callable[[str], None]) -> None:
    slow("IPT101")
    report = linted(Budget(memory=1))
    assert "memory of 0 MiB" in limits(report)[0]
    assert not report.crashed


def test_no_more_findings_than_are_asked_for_and_the_gravest_of_them() -> None:
    rule = b"-A INPUT -p tcp --dprt 22 -j ACCEPT\n"
    every = linted(Budget(), OPEN.replace(b"COMMIT", rule + b"COMMIT"))
    report = linted(Budget(findings=1), OPEN.replace(b"COMMIT", rule + b"COMMIT"))
    first, last = report.findings
    assert first.code == "IPT001"
    assert last.message.startswith(f"1 of {len(every.findings)} findings are shown")


def test_without_a_budget_nothing_is_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("signal.setitimer")
    assert not limits(linted(Budget(seconds=1)))
    assert not limits(linted(Budget()))


def test_the_timer_imports_nothing() -> None:
    """It may strike in the middle of an import, which one within it would spoil (a KeyError of
    importlib in Python 3.11)."""
    script = """
import sys, time
from iptlint.linter.budget import Budget, Watch
with Watch(Budget(memory=1 << 50), 1) as watch, watch.over():
    before = set(sys.modules)
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        pass
    print(*set(sys.modules) - before)
"""
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert result.stdout == "\n"


def test_who_is_on_the_way_out_is_not_told_again_at_once() -> None:
    """What ends a question may come in the middle of its end; then it would end the next thing."""
    ended: list[bool] = []

    def work(watch: Watch) -> None:
        with watch.over():
            try:
                time.sleep(5)
            finally:
                time.sleep(0.5)  # two ticks, none of which takes the place of the first
                ended.append(True)

    with Watch(Budget(0.01, None), 1) as watch, pytest.raises(OverBudgetError):
        work(watch)
    assert ended


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), OverBudgetError("too much")])
def test_what_is_raised_while_a_class_is_made_is_what_it_was(raised: BaseException) -> None:
    """Python 3.11 tells it as a RuntimeError (type.__new__ calls __set_name__)."""

    class Interrupted:
        def __set_name__(self, owner: type, name: str) -> None:
            raise raised

    with Watch(Budget(), 1, lambda _: None) as watch, pytest.raises(type(raised)), watch.over():
        type("Made", (), {"at": Interrupted()})
