"""A file for iptables-restore that jumps to a chain of software which it does not declare.

The tool empties a table before it fills it, unless told `--noflush`: a chain that docker has made
is not there any more when the jump to it is read.
"""

from __future__ import annotations

import shutil
import subprocess

import pytest

from iptlint.findings import Confidence
from iptlint.linter.run import lint
from iptlint.source import SourceFile

POLICIES = ":INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n"
JUMP = "-A FORWARD -j DOCKER-USER\n"


def told(text: str) -> list[str]:
    findings = lint([SourceFile("rules.v4", text)], select=("IPT003", "IPT404")).findings
    assert all(each.confidence is Confidence.POSSIBLE for each in findings)
    return [each.code for each in findings]


@pytest.mark.parametrize("chain", ["DOCKER-USER", "DOCKER", "KUBE-SERVICES"])
def test_a_file_that_empties_the_table_cannot_jump_to_what_software_made(chain: str) -> None:
    text = f"*filter\n{POLICIES}-A FORWARD -j {chain}\nCOMMIT\n"
    assert told(text) == ["IPT003"]
    assert not told(f"*filter\n{JUMP}COMMIT\n")  # perhaps for --noflush
    assert not told(f"*filter\n{POLICIES}{JUMP}-A INPUT -j ufw-user-input\nCOMMIT\n")


@pytest.mark.parametrize("variant", ["legacy", "nft"])
def test_iptables_restore_refuses_it_though_the_chain_was_there(variant: str) -> None:
    tool = f"iptables-{variant}"
    if shutil.which(f"{tool}-restore") is None or shutil.which("unshare") is None:
        pytest.skip("the tools are not here")
    made = f"{tool} -N DOCKER-USER && {tool}-restore"
    text = f"*filter\n{POLICIES}{JUMP}COMMIT\n"

    def status(options: str) -> int:
        command = ["unshare", "-n", "sh", "-c", f"{made}{options}"]
        done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
        if "unshare" in done.stderr:
            pytest.skip("no network of its own can be had")
        return done.returncode

    assert status("") != 0
    assert status(" --noflush") == 0
