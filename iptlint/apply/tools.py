"""The tools that load and save rules, run as lists of arguments and never by a shell."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from iptlint.host.commands import ENVIRONMENT

SECONDS = 30
_WAIT = ("-w", "10")
"""For the lock of legacy iptables (xtables.lock), in seconds."""


@dataclass(frozen=True, slots=True)
class Ran:
    """``status`` is None where the tool could not be run, or did not end in time; ``said`` is
    what it complained of."""

    status: int | None
    printed: bytes
    said: str

    @property
    def worked(self) -> bool:
        return self.status == 0


def run(argv: Sequence[str], text: bytes = b"", cwd: str = "/") -> Ran:
    """With ``text`` on standard input."""
    try:
        done = subprocess.run(
            argv,
            input=text,
            capture_output=True,
            check=False,
            cwd=cwd,
            env=ENVIRONMENT,
            timeout=SECONDS,
            start_new_session=True,
        )
    except FileNotFoundError:
        return Ran(None, b"", f"{argv[0]} is not installed")
    except subprocess.TimeoutExpired:
        return Ran(None, b"", f"{argv[0]} did not end within {SECONDS} s")
    except OSError as error:
        return Ran(None, b"", f"{argv[0]} cannot be run: {error.strerror or error}")
    return Ran(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace").strip())


def restore_argv(tool: str, *options: str) -> tuple[str, ...]:
    """``tool`` is iptables or ip6tables: by whichever backend the host has."""
    return f"{tool}-restore", *_WAIT, *options


def is_by_nft(tool: str) -> bool:
    """Whether the tables of iptables are ones of nf_tables."""
    return b"nf_tables" in run((tool, "--version")).printed
