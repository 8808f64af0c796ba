from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import iptlint
from iptlint.cli import group, main
from tests.cli.conftest import BROKEN, CLEAN, Run
from tests.processes import PATIENCE

MORE_THAN_A_PIPE_HOLDS = 2**17


def test_version(run: Run) -> None:
    assert run("--version").stdout == f"iptlint {iptlint.__version__}\n"


@pytest.mark.parametrize(
    "args", [["-h"], ["--help"], ["check", "-h"], ["reach", "--help"], ["rule", "-h"]]
)
def test_help(run: Run, args: list[str]) -> None:
    result = run(*args)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("Usage: iptlint")


def test_nothing_to_do_is_a_usage_error(run: Run) -> None:
    result = run()
    assert result.returncode == 2
    assert "Usage: iptlint" in result.stderr


@pytest.mark.parametrize("args", [["--version"], ["--help"], ["check", "--help"]])
def test_what_answers_at_once_loads_nothing_heavy(args: list[str]) -> None:
    code = (
        "import sys\n"
        "from iptlint.cli import main\n"
        f"try: main({args})\n"
        "except SystemExit: pass\n"
        "print({'lark', 'oxidd', 'tabulate'} & set(sys.modules), file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stderr == "set()\n"


def test_a_check_of_iptables_rules_loads_nothing_that_it_does_not_ask(tmp_path: Path) -> None:
    path = tmp_path / "rules.v4"
    path.write_text(CLEAN)
    unasked = {
        *(
            "tabulate",
            "jinja2",
            "numpy",
            "lark",
            "iptlint.benchmark.table",
            "iptlint.reports.benchmark",
        ),
        *("iptlint.dialects.nft.tree", "iptlint.loads.nft.judge", "iptlint.loads.nft.checks"),
        *("iptlint.dialects.nft.syntax", "iptlint.model.cloud", "iptlint.analysis.cloud_words"),
        *("iptlint.model.host", "iptlint.model.sets", "iptlint.analysis.diff"),
        *("iptlint.analysis.trace", "hashlib", "importlib.metadata", "shutil"),
    }
    code = (
        "import sys\n"
        "from iptlint.cli import main\n"
        f"try: main(['check', '--no-cache', {str(path)!r}])\n"
        "except SystemExit: pass\n"
        f"print({unasked} & set(sys.modules), file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stderr == "set()\n"


def test_what_is_kept_is_told_without_loading_what_found_it(tmp_path: Path) -> None:
    path = tmp_path / "rules.v4"
    path.write_text(CLEAN)
    code = (
        "import sys\n"
        "from iptlint.cli import main\n"
        f"try: main(['check', '--cache', {str(tmp_path / 'kept')!r}, {str(path)!r}])\n"
        "except SystemExit: pass\n"
        "loaded = {'iptlint.rules.exposure.ipt601_default_accept', 'iptlint.linter.run'}\n"
        "print(len(loaded & set(sys.modules)), file=sys.stderr)"
    )
    for loaded in (2, 0):
        result = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
        )
        assert result.stderr == f"{loaded}\n"


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="there are no broken pipes here")
def test_a_reader_that_stops_reading_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "rules.v4").write_text(BROKEN * 3000)
    with subprocess.Popen(
        [sys.executable, "-m", "iptlint", str(tmp_path / "rules.v4")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


def test_an_interrupt_while_a_class_is_made_is_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> int:
        raise RuntimeError("Error calling __set_name__") from KeyboardInterrupt()

    monkeypatch.setattr(group, "main", interrupted)
    for switch in ("disable", "freeze"):
        monkeypatch.setattr(gc, switch, lambda: None)  # it is not the process that ends
    with pytest.raises(SystemExit) as ended:
        main(["check", "rules.v4"])
    assert (ended.value.code, capsys.readouterr().err) == (130, "")


def test_an_interrupt_is_130_and_says_nothing() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "iptlint", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        assert process.stdin
        process.stdin.write(b"#" * MORE_THAN_A_PIPE_HOLDS)  # so it reads its input
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert b"Traceback" not in errors


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_status_2_and_a_sentence() -> None:
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(
            [sys.executable, "-m", "iptlint", "rule"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert result.returncode == 2
    assert result.stderr == b"iptlint: cannot write the output: No space left on device\n"


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_colour_is_for_terminals(
    tmp_path: Path, environment: dict[str, str], coloured: bool
) -> None:
    pty = pytest.importorskip("pty", reason="needs a pseudo terminal")
    (tmp_path / "rules.v4").write_text(BROKEN)
    ours, theirs = pty.openpty()
    clean = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")}
    with subprocess.Popen(
        [sys.executable, "-m", "iptlint", str(tmp_path / "rules.v4")],
        stdout=theirs,
        env={**clean, "TERM": "xterm", **environment},
    ):
        output = os.read(ours, 100_000)
    os.close(theirs)
    os.close(ours)
    assert (b"\x1b[" in output) is coloured


def test_a_pipe_gets_no_colour(run: Run) -> None:
    assert "\x1b[" not in run("-", text=BROKEN).stdout


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        ("MemoryError()", "iptlint: the analysis ran out of memory: name fewer or smaller files\n"),
        ("BaseException('a panic')", "iptlint: internal error, please report it: "),
    ],
)
def test_what_nobody_expected_is_a_sentence_too(raised: str, told: str) -> None:
    code = (
        "import iptlint.cli as cli, iptlint.cli.rule as rule\n"
        "def fail(*_, **__):\n"
        f"    raise {raised}\n"
        "rule.command.callback = fail\n"
        "cli.main(['rule'])\n"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 2
    assert result.stderr.startswith(told)
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "args",
    [
        ["a\x1b[31mb"],
        ["x\n::error::y"],
        ["--a\x9b31m"],
        ["check", "--ssh-ports", "1\x1b[0m", "x"],
        ["diff", "a\u202e", "b"],
        ["live", "--host", "a\x1bb"],
        ["live", "--root", "/nowhere/\x1b"],
    ],
)
def test_errors_show_what_a_terminal_would_act_upon(run: Run, args: list[str]) -> None:
    result = run(*args)
    assert result.returncode == 2
    assert not {"\x1b", "\x9b", "\u202e"} & set(result.stderr)
    assert "\n::error" not in result.stderr
