"""What stands in the place of an interface's name, and is none."""

from __future__ import annotations

import pytest

from iptlint.analysis.misnamed_interfaces import misnamed_interfaces
from iptlint.findings import Finding
from iptlint.linter.run import lint
from iptlint.model.names import NoInterface
from iptlint.source import SourceFile
from tests.firewalls import analysis_of, saved


@pytest.mark.parametrize(
    ("name", "kind", "certain"),
    [
        ("eth0:1", NoInterface.ALIAS, True),
        ("10.0.0.0/8", NoInterface.ADDRESS, True),
        ("192.0.2.1", NoInterface.ADDRESS, False),
        ("icmp", NoInterface.PROTOCOL, False),
        ("any", NoInterface.PROTOCOL, False),
        ("WAN_IF", NoInterface.PLACEHOLDER, False),
        ("enpXsY", NoInterface.PLACEHOLDER, False),
    ],
)
def test_a_word_of_another_kind_is_told(name: str, kind: NoInterface, certain: bool) -> None:
    (misnamed,) = misnamed_interfaces(analysis_of(saved(f"-A INPUT -i {name} -j ACCEPT")))
    assert (misnamed.name, misnamed.kind, misnamed.certain) == (name, kind, certain)


@pytest.mark.parametrize("name", ["LAN", "WAN", "eth0.100", "tcp0", "allnet", "wg-site", "eth+"])
def test_a_name_that_somebody_gives_is_none(name: str) -> None:
    assert not list(misnamed_interfaces(analysis_of(saved(f"-A INPUT -i {name} -j ACCEPT"))))


SCRIPT = """#!/bin/sh
iptables -F
iptables -P INPUT DROP
iptables -A INPUT -i {name} -j ACCEPT
iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
iptables -A INPUT -p tcp --dport 22 -j ACCEPT
"""


def lockout(name: str) -> Finding:
    source = SourceFile("fw.sh", SCRIPT.format(name=name))
    (finding,) = lint([source], select=["IPT303"]).findings
    return finding


def test_nobody_gets_in_by_an_interface_that_is_a_protocol() -> None:
    """A session lives on from line 5 on, not from the ``-i icmp`` of line 4; by eth1 it would."""
    assert "until line 5, and for new connections until line 6" in lockout("icmp").message
    assert "until line 4" in lockout("eth1").message
