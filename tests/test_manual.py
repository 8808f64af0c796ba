"""The manual page says what ``--help`` says; `tests/test_readme.py` holds it to that."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from iptlint.cli import COMMANDS, group

PAGE = Path(__file__).parent.parent / "docs" / "iptlint.1"
_STATUS = (
    ("0", "nothing at or above the threshold, or the two are equivalent"),
    ("1", "findings, a difference, or a refusal"),
    ("2", "the command could not do its work"),
)


def roff(text: str) -> str:
    """Text of which no character means anything to troff."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq")
    escaped = escaped.replace("`", r"\(ga").replace("…", "...").replace("\u2014", r"\(em")
    return re.sub(r"(?m)^\.", r"\\&.", escaped)


def options(command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name="iptlint")
    records = [param.get_help_record(context) for param in command.params]
    # click keeps the option of the first context that asks for it, whatever that calls it.
    records.append(("-h, --help", "Show this message and exit."))
    for name, text in filter(None, records):
        yield f".TP\n.B {roff(name)}\n{roff(' '.join(text.split()))}"


def paragraphs(command: click.Command) -> Iterator[str]:
    for part in (command.help or "").split("\n\n"):
        lines = part.removeprefix("\b\n")
        yield f".PP\n{roff(' '.join(lines.split()))}"


def section(name: str) -> Iterator[str]:
    command = group.get_command(click.Context(group), name)
    assert command is not None
    arguments = [
        p.make_metavar(click.Context(command))
        for p in command.params
        if isinstance(p, click.Argument)
    ]
    yield f".SS iptlint {name} {roff(' '.join(['[OPTION...]', *arguments]))}"
    yield from paragraphs(command)
    yield from options(command)


def manual() -> str:
    """The whole page, in the man macros."""
    lines = [
        '.TH IPTLINT 1 "" "iptlint" "User Commands"',
        ".SH NAME",
        r"iptlint \- find what is wrong with a Linux firewall",
        ".SH SYNOPSIS",
        r".B iptlint \fR[\fIOPTION\fR...] \fIFILE\fR...",
        ".br",
        r".B iptlint \fICOMMAND\fR [\fIOPTION\fR...] [\fIFILE\fR...]",
        ".SH DESCRIPTION",
        *paragraphs(group),
        ".SH COMMANDS",
        *(f".TP\n.B {name}\n{roff(line)}" for name, (_, line) in COMMANDS.items()),
        *(line for name in COMMANDS for line in section(name)),
        ".SH EXIT STATUS",
        *(f".TP\n.B {status}\n{roff(meaning)}" for status, meaning in _STATUS),
        ".SH FILES",
        r".TP",
        r".I .iptlint.toml\fR, \fIpyproject.toml",
        roff("the options of a project; `iptlint config` says what holds"),
        ".SH SEE ALSO",
        r".BR iptables (8), \ nft (8), \ iptables-save (8)",
    ]
    return "\n".join(lines) + "\n"


def test_every_command_and_option_is_in_it() -> None:
    text = PAGE.read_text("utf-8").replace(r"\-", "-")
    for name in COMMANDS:
        assert f".SS iptlint {name} " in text
    assert ".B --output-format" in text


@pytest.mark.skipif(shutil.which("man") is None, reason="needs man")
def test_man_shows_it_without_a_warning() -> None:
    done = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", str(PAGE)],
        capture_output=True,
        text=True,
        env={"LC_ALL": "C.UTF-8", "MANROFFSEQ": "", "MANWIDTH": "80", "PATH": "/usr/bin:/bin"},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
