"""The real command, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

SHADOWED = """\
*filter
:INPUT ACCEPT [0:0]
-A INPUT -s 10.0.0.0/8 -j ACCEPT
-A INPUT -s 10.1.2.0/24 -p tcp -m tcp --dport 22 -j DROP
COMMIT
"""
CLEAN = """\
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
"""
BROKEN = "*filter\n-A INPUT -p tcp --dprot 22 -j ACCEPT\nCOMMIT\n"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def iptlint(
        *args: str, text: str | None = None, **more: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "iptlint", *args],
            input=text,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            cwd=tmp_path,
            env={**os.environ, **more},
            timeout=60,
            check=False,
        )

    return iptlint
