from __future__ import annotations

import os
import subprocess
import sys

import pytest

from iptlint.host.ssh_session import session_of, ssh_session
from iptlint.model.host import SshSession

WORDS = "198.51.100.7 50122 192.0.2.10 22"


def test_as_sshd_tells_it() -> None:
    assert ssh_session({"SSH_CONNECTION": WORDS}) == SshSession(
        "198.51.100.7", 50122, "192.0.2.10", 22
    )
    assert session_of("::ffff:192.0.2.7 1 ::ffff:192.0.2.10 22") == SshSession(
        "192.0.2.7", 1, "192.0.2.10", 22
    )
    assert session_of("fe80::1%eth0 1 fe80::2%eth0 22") == SshSession("fe80::1", 1, "fe80::2", 22)


@pytest.mark.parametrize(
    "text", ["", "here 1 there 22", "192.0.2.7 x 192.0.2.10 22", "192.0.2.7 1 192.0.2.10 99999"]
)
def test_what_is_none(text: str) -> None:
    assert session_of(text) is None


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")  # noqa: PTH112
def test_a_command_that_took_the_variable_away() -> None:
    """As sudo does: a process above it still has it."""
    ask = "from iptlint.host.ssh_session import ssh_session; print(ssh_session())"
    asking = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {ask!r}], env={{}})"
    if "PYTHONPATH" in os.environ:
        asking = asking.replace("env={}", f"env={{'PYTHONPATH': {os.environ['PYTHONPATH']!r}}}")
    done = subprocess.run(
        [sys.executable, "-c", asking],
        env={**os.environ, "SSH_CONNECTION": WORDS},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == "198.51.100.7 port 50122 to 192.0.2.10 port 22"
