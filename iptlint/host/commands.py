"""The commands that are ever run on a host. All of them only read.

They are lists of arguments, never a line for a shell, and no part of them comes from the host.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from contextlib import suppress
from typing import NamedTuple

from iptlint.host.gathered import CommandOutput

SECONDS = 20
MAX_BYTES = 64 * 2**20
"""Of what a command prints; more is not rules of a host."""

PATH = (
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    ":/run/wrappers/bin:/run/current-system/sw/bin"
)
"""Of the system and of NixOS: a tool of the same name elsewhere is not run."""

ENVIRONMENT = {"PATH": PATH, "LC_ALL": "C", "HOME": "/", "SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0"}
_COMPLAINT = 400
NOT_IN_KERNEL = ("Protocol not supported", "Address family not supported")
"""What is said where the kernel has no nf_tables, or no IPv6: then there are no such rules."""


class Command(NamedTuple):
    """``rules``: without what it prints the running rules are not known."""

    name: str
    argv: tuple[str, ...]
    rules: bool = False


COMMANDS = (
    Command("iptables-legacy-save", ("iptables-legacy-save", "-c"), True),
    Command("ip6tables-legacy-save", ("ip6tables-legacy-save", "-c"), True),
    Command("iptables-nft-save", ("iptables-nft-save", "-c"), True),
    Command("ip6tables-nft-save", ("ip6tables-nft-save", "-c"), True),
    Command("iptables-save", ("iptables-save", "-c"), True),
    Command("ip6tables-save", ("ip6tables-save", "-c"), True),
    Command("nft", ("nft", "list", "ruleset"), True),
    Command("nft-json", ("nft", "-j", "list", "ruleset")),
    Command("ipset", ("ipset", "save")),
    Command("ss", ("ss", "-Htuln")),
    Command("sshd", ("sshd", "-T")),
    Command("addresses", ("ip", "-j", "addr")),
    Command("routes", ("ip", "-j", "-4", "route", "show", "table", "all")),
    Command("routes6", ("ip", "-j", "-6", "route", "show", "table", "all")),
    Command("routing-rules", ("ip", "-j", "-4", "rule")),
    Command("routing-rules6", ("ip", "-j", "-6", "rule")),
    Command(
        "units",
        ("systemctl", "list-unit-files", "--no-legend", "--no-pager", "--type=service"),
    ),
    Command("iptables-version", ("iptables", "--version")),
    Command("nft-version", ("nft", "--version")),
    Command("kernel", ("uname", "-sr")),
    Command("hostname", ("uname", "-n")),
)


def run(command: Command) -> CommandOutput | None:
    """What it prints; None where the tool is not there. Never for longer than ``SECONDS``."""
    with tempfile.TemporaryFile() as complaints:
        try:
            process = subprocess.Popen(
                command.argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env=ENVIRONMENT,
                cwd="/",
                start_new_session=True,
            )
        except FileNotFoundError:
            return None
        except OSError as error:
            return CommandOutput(b"", 126, error.strerror or str(error))
        data, ended = read_limited(process)
        complaints.seek(0)
        complaint = complaints.read(_COMPLAINT).decode("utf-8", "replace").strip()
    if any(words in complaint for words in NOT_IN_KERNEL):
        return CommandOutput(b"", 0)
    if not ended:
        return CommandOutput(b"", None, f"took more than {SECONDS} s, or printed too much")
    return CommandOutput(data, process.returncode, complaint)


def read_limited(
    process: subprocess.Popen[bytes], seconds: float = SECONDS, most: int = MAX_BYTES
) -> tuple[bytes, bool]:
    """What the process prints, and whether it ended by itself within both limits."""
    assert process.stdout is not None
    late = threading.Event()

    def stop() -> None:
        late.set()
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)

    timer = threading.Timer(seconds, stop)
    timer.start()
    try:
        data = process.stdout.read(most + 1)
        if len(data) > most:
            stop()
        process.stdout.close()
        process.wait()
    finally:
        timer.cancel()
    return data[:most], not late.is_set()
