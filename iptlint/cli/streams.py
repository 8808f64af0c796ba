"""Standard input, output and error, which may be closed, full or in another encoding."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import Any

import click


def prepare() -> None:
    """What is closed is opened on nothing, lest a file that is read gets its number."""
    if hasattr(signal, "SIGPIPE"):
        # `iptlint FILE | head` ends as any other tool does: at once and without a word.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if stream is None:
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        _never_fail_to_encode(stream)


def printable(text: str) -> str:
    """A path or message in which nothing speaks to the terminal."""
    from iptlint.reports.safe import visible

    return visible(text)


def write(text: str) -> None:
    """Text for people: in the encoding of the terminal."""
    click.echo(text, nl=False, color=True)


def write_utf8(text: str) -> None:
    """Text for programs: UTF-8, whatever the locale (RFC 8259 asks it of JSON)."""
    click.echo(text.encode("utf-8", "replace"), nl=False)


def complain(*sentences: str) -> None:
    """Each on a line of standard error, as what iptlint says; nothing of them speaks to the
    terminal."""
    say("".join(f"iptlint: {printable(sentence)}\n" for sentence in sentences))


def say(text: str) -> None:
    """To standard error, and to nobody where that cannot be written."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            click.echo(text, nl=False, err=True)
            sys.stderr.flush()


def finish() -> None:
    """OSError where what was printed could not be written."""
    if sys.stdout is None:
        raise OSError("standard output is closed")
    sys.stdout.flush()


def abandon() -> None:
    """What could not be written is not tried again when the process ends."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, stream.fileno())
            os.close(nothing)


def _never_fail_to_encode(stream: Any) -> None:
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")
