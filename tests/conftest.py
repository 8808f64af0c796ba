"""Options of the whole suite, and what its tests must not share while they run side by side."""

from __future__ import annotations

import gc
import os
import signal

import pytest

from tests.parts import Part

# Whatever the tests lint, each packet that a finding shows is followed to where it is said to come;
# one that does not is the finding IPT009.
os.environ["IPTLINT_CHECK_WITNESSES"] = "1"

# What a shell starts with `&` ignores the interrupt, and so would each command that a test starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Where bytecode may not be kept, each command that a test starts would compile 300 files anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--long",
        action="store_true",
        help="put hundreds of rulesets of each kind to the kernel, and read the whole corpus",
    )


def pytest_collection_finish() -> None:
    """What 19,000 tests are does not go away before the end: no collection has to look at it."""
    gc.collect()
    gc.freeze()


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: who waits for the kernel, or for a command that he
    started, needs none."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def part(pytestconfig: pytest.Config) -> Part:
    return Part(whole=pytestconfig.getoption("--long"))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """What was put to the kernel, where it is of interest. The reports come from all processes."""
    if not config.getoption("--long"):
        return
    from tests.kernel.record import totals

    reports = (report for several in terminalreporter.stats.values() for report in several)
    for name, record in sorted(totals(reports).items()):
        terminalreporter.section(f"kernel: {name}")
        terminalreporter.write_line(str(record))


@pytest.fixture(scope="session", autouse=True)
def _lock_of_ones_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    """iptables-legacy locks one file of the machine, whatever network it is in, and gives up where
    it is locked."""
    os.environ["XTABLES_LOCKFILE"] = str(tmp_path_factory.mktemp("xtables") / "lock")
