from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import iptlint
from iptlint.model import Family
from tests.expectations import broken

SHADOWED = """\
*filter
:INPUT ACCEPT [0:0]
-A INPUT -s 10.0.0.0/8 -j ACCEPT
-A INPUT -s 10.1.2.0/24 -j DROP
COMMIT
"""


def test_read_takes_a_text_or_a_path(tmp_path: Path) -> None:
    file = tmp_path / "rules.v4"
    file.write_text(SHADOWED)
    for source in (SHADOWED, file, str(file)):
        ruleset = iptlint.read(source)
        assert [chain.name for _, chain, _ in ruleset.rules()] == ["INPUT", "INPUT"]
    assert iptlint.read(SHADOWED, Family.IP6).families == (Family.IP6,)


def test_read_tells_what_it_could_not_read() -> None:
    wrong = SHADOWED.replace("-j DROP", "-m nothing --like this -j DROP")
    with pytest.warns(UserWarning, match=r"<text>:4:25: IPT002: .*nothing"):
        iptlint.read(wrong)


@pytest.mark.parametrize(
    ("packet", "told"),
    [
        ({"dport": 70000}, "70000 is not a port: a number from 0 to 65535"),
        ({"sport": "22"}, "'22' is not a port"),
        ({"icmp_type": "echo-request"}, "'echo-request' is not a type or code of icmp"),
        ({"proto": "tpc"}, "'tpc' is no protocol"),
        ({"saddr": "10.0.0.256"}, "'10.0.0.256' is no address"),
    ],
)
def test_a_field_that_no_packet_can_have_is_told(packet: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        iptlint.trace(iptlint.read(SHADOWED), iptlint.Packet(**packet))


def test_reach_says_of_each_rule_what_reaches_it() -> None:
    first, second = iptlint.reach(iptlint.read(SHADOWED))
    assert (first.status.value, second.status.value) == ("reachable", "dead")


def test_lint_can_be_called_again() -> None:
    """A module of the same name would take the function's place after the first call."""
    for _ in range(2):
        found = iptlint.lint(SHADOWED, select=["default-accept"])
        assert [finding.code for finding in found] == ["IPT601"]


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        iptlint.lint(tmp_path / "missing")
    with pytest.raises(ValueError, match="there is no rule"):
        iptlint.lint(SHADOWED, select=["IPT9999"])


def test_a_packet_is_a_question() -> None:
    ruleset = iptlint.read(SHADOWED)
    (outcome,) = iptlint.trace(
        ruleset, iptlint.Packet(hook="input", saddr="10.1.2.3", proto="tcp", dport=22, iif="eth0")
    ).outcomes[:1]
    assert outcome.kind.value == "accept"
    six = iptlint.read("table ip6 t {\n}\n")
    assert iptlint.trace(six, iptlint.Packet(hook="input", proto="udp")).outcomes


@pytest.mark.parametrize(
    "wrong",
    [
        {"ssh_ports": 22},
        {"ssh_ports": ("22",)},
        {"management_networks": "10.0.0.0/8"},
        {"management_networks": ("10.0.0.0/8",)},
    ],
)
def test_wrong_settings_are_a_type_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=next(iter(wrong))):
        iptlint.Settings(**wrong)


def test_settings_are_settings() -> None:
    with pytest.raises(TypeError, match=r"iptlint\.Settings"):
        iptlint.lint(SHADOWED, settings={"ssh_ports": (22,)})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="70000 is not a port"):
        iptlint.Settings(ssh_ports=(70000,))


def test_a_finding_tells_all_of_itself() -> None:
    (finding,) = iptlint.lint(SHADOWED, select=["IPT101"])
    assert isinstance(finding, iptlint.Finding)
    assert (finding.name, finding.severity) == ("shadowed-rule", iptlint.Severity.WARNING)
    assert finding.url.endswith("/IPT101/")
    assert repr(finding).startswith("<Finding IPT101 warning <text>:4:1: ")
    assert len(repr(finding)) < 120
    told = finding.to_dict()
    assert (
        broken(
            {
                "version": 1,
                "files": [],
                "findings": [json.loads(json.dumps(told))],
                "summary": SUMMARY,
            }
        )
        == []
    )
    assert told["fingerprint"] == finding.fingerprint


SUMMARY = {"error": 1, "warning": 0, "info": 0, "suppressed": 0}


def test_what_it_exports_is_there_and_typed() -> None:
    for name in iptlint.__all__:
        assert getattr(iptlint, name) is not None
    assert {*iptlint.__all__} <= {*dir(iptlint)}
    assert (Path(iptlint.__file__).parent / "py.typed").is_file()
    with pytest.raises(AttributeError):
        iptlint.nothing  # noqa: B018
