"""The SSH session that a command is typed in, as sshd tells it to the shell (SSH_CONNECTION)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path

from iptlint.model.host import SshSession
from iptlint.model.numbers import decimal

_VARIABLE = "SSH_CONNECTION"
_MOST = 64
"""Processes, from this one upward."""


def ssh_session(environment: Mapping[str, str] = os.environ) -> SshSession | None:
    """None outside of any. sudo and su take the variable away, so the processes that have started
    this one are asked, too."""
    if _VARIABLE in environment:
        return session_of(environment[_VARIABLE])
    return next(filter(None, map(session_of, _of_ancestors(os.getppid()))), None)


def session_of(text: str) -> SshSession | None:
    words = text.split()
    if len(words) != 4:
        return None
    ports = [decimal(words[1]), decimal(words[3])]
    try:
        # An IPv4 address may be written as one of IPv6 (::ffff:192.0.2.7), and with a zone.
        addresses = [_plain(words[0]), _plain(words[2])]
    except ValueError:
        return None
    if None in ports or any(port is not None and port > 65535 for port in ports):
        return None
    return SshSession(addresses[0], ports[0] or 0, addresses[1], ports[1] or 0)


def _plain(text: str) -> str:
    address = ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _of_ancestors(process: int) -> Iterator[str]:
    for _ in range(_MOST):
        if process <= 1:
            return
        folder = Path("/proc") / str(process)
        try:
            for each in (folder / "environ").read_bytes().split(b"\0"):
                name, _, value = each.decode("utf-8", "replace").partition("=")
                if name == _VARIABLE:
                    yield value
            match = re.search(r"^PPid:\s*(\d+)", (folder / "status").read_text(), re.MULTILINE)
        except OSError:
            return
        process = (decimal(match[1]) or 0) if match else 0
