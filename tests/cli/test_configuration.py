"""What a project says of how it is checked, and that a stranger's file leads nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from iptlint.cli import group
from tests.cli.conftest import CLEAN, SHADOWED

OPEN = "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with the rules of two hosts, and the process somewhere in it."""
    (tmp_path / ".git").mkdir()
    for host in ("web", "db"):
        (tmp_path / "hosts" / host).mkdir(parents=True)
        (tmp_path / "hosts" / host / "rules.v4").write_text(SHADOWED)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def codes(*args: object) -> list[tuple[str, str, str]]:
    """Host, code and severity of each finding."""
    result = CliRunner().invoke(
        group, [*map(str, args), "--output-format", "json"], standalone_mode=False
    )
    assert result.exception is None, result.exception
    return [
        (Path(f["path"]).parent.name, f["code"], f["severity"])
        for f in json.loads(result.stdout)["findings"]
    ]


def refusal(*args: object) -> str:
    result = CliRunner().invoke(group, [*map(str, args)], standalone_mode=False)
    return getattr(result.exception, "message", "")


@pytest.mark.parametrize(
    ("name", "head"), [(".iptlint.toml", ""), ("pyproject.toml", "[tool.iptlint]\n")]
)
def test_the_nearest_file_above_the_first_one_holds(project: Path, name: str, head: str) -> None:
    (project / name).write_text(f'{head}select = ["IPT101"]\n')
    (project / "hosts" / "db" / name).write_text(f'{head}select = ["IPT601"]\n')
    assert {code for _, code, _ in codes("hosts/web/rules.v4")} == {"IPT101"}
    assert {code for _, code, _ in codes("hosts/db/rules.v4")} == {"IPT601"}
    assert len({code for _, code, _ in codes("hosts/web/rules.v4", "--isolated")}) > 1


def test_what_is_typed_comes_before_what_the_file_says(project: Path) -> None:
    (project / ".iptlint.toml").write_text('select = ["IPT101"]\nfail-on = "never"\n')
    assert {code for _, code, _ in codes("hosts", "--select", "IPT601")} == {"IPT601"}


def test_nothing_above_the_checkout_is_looked_at(project: Path) -> None:
    (project / "hosts" / ".git").write_text("gitdir: elsewhere\n")
    (project / ".iptlint.toml").write_text('select = ["IPT601"]\n')
    assert len({code for _, code, _ in codes("hosts/web")}) > 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('x = 1\nslect = ["IPT1"]\n', "there is no setting 'x'; `iptlint config --schema`"),
        (
            '\nslect = ["IPT1"]\n',
            ".iptlint.toml:2: there is no setting 'slect' (did you mean select?)",
        ),
        ('fail-on = "fatal"\n', ".iptlint.toml:1: fail-on: 'fatal' is not one of"),
        ('timeout = "long"\n', ".iptlint.toml:1: timeout is a number"),
        ("select = 1\n", "select is a list"),
        ("no-include = 1\n", "no-include is true or false"),
        ("ssh-ports = [70000]\n", "'70000' is not a port from 1 to 65535"),
        ("a = \n", "this is not TOML: look at line 1, column 5"),
        ('[[overrides]]\nignore = ["IPT1"]\n', "an override says which files it is for"),
        (
            '[[overrides]]\nfiles = ["*"]\nsevrity = {}\n',
            ":3: there is no setting 'sevrity' (did you",
        ),
        ('[severity]\nIPT999 = "info"\n', "there is no rule 'IPT999'"),
        (
            '[severity]\nIPT101 = "bad"\n',
            "severity: 'bad' is not one of 'error', 'warning', 'info'",
        ),
        ("severity = 1\n", "severity is a table"),
        ('\nignore = ["IPT999"]\n', ".iptlint.toml:2: ignore: there is no rule 'IPT999'"),
    ],
)
def test_what_cannot_be_meant_is_an_error_at_its_line(project: Path, text: str, told: str) -> None:
    (project / ".iptlint.toml").write_text(text)
    assert told in refusal("hosts")


def test_settings_of_some_files(project: Path) -> None:
    (project / ".iptlint.toml").write_text(
        'select = ["IPT101", "IPT601"]\n'
        '[severity]\nIPT601 = "error"\n'
        '[[overrides]]\nfiles = ["hosts/web/*"]\nignore = ["default-accept"]\n'
        'severity = { IPT101 = "info" }\n'
    )
    found = codes("hosts")
    assert ("web", "IPT101", "info") in found
    assert ("db", "IPT601", "error") in found
    assert not [each for each in found if each[:2] == ("web", "IPT601")]
    assert [s for host, code, s in found if (host, code) == ("db", "IPT101")] != ["info"]


def test_what_is_known_of_one_host_is_not_of_the_other(project: Path) -> None:
    for host in ("web", "db"):
        (project / "hosts" / host / "rules.v4").write_text(CLEAN)
    (project / ".iptlint.toml").write_text(
        '[[overrides]]\nfiles = ["hosts/db/*"]\nssh-ports = [2222]\n'
    )
    found = codes("hosts", "--select", "IPT301")
    assert {host for host, _, _ in found} == {"db"}


SENT_ON = """*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -i eth0 -p tcp -m tcp --dport 33060 -j DNAT --to-destination 192.0.2.10:3306
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
-A INPUT -p tcp -m tcp --dport 3306 -m conntrack --ctstate DNAT -j ACCEPT
COMMIT
"""


@pytest.mark.parametrize(("address", "found"), [("192.0.2.10", 0), ("192.0.2.99", 1)])
def test_the_addresses_of_a_host(project: Path, address: str, found: int) -> None:
    """What is translated to an address of the host comes to INPUT, and not to FORWARD."""
    (project / "hosts" / "web" / "rules.v4").write_text(SENT_ON)
    asked = ("hosts/web/rules.v4", "--select", "IPT802")
    assert len(codes(*asked, "--host-addresses", address)) == found
    (project / ".iptlint.toml").write_text(
        f'[[overrides]]\nfiles = ["hosts/web/*"]\nhost-addresses = ["{address}"]\n'
    )
    assert len(codes(*asked)) == found


def test_the_family_of_a_file_that_does_not_tell(project: Path) -> None:
    (project / ".iptlint.toml").write_text('[[overrides]]\nfiles = ["x"]\nfamily = "ip6"\n')
    (project / "x").write_text(OPEN)
    result = CliRunner().invoke(group, ["x", "--output-format", "json"], standalone_mode=False)
    assert json.loads(result.stdout)["files"][0]["family"] == "ip6"


@pytest.mark.parametrize(
    "line",
    [
        'ipset = ["/etc/shadow"]',
        'ipset = ["../secret"]',
        'ipset = ["link"]',
        'include-dir = ["/"]',
        'from = ["/etc/shadow"]',
        '[[overrides]]\nfiles = ["*"]\nipset = ["/etc/shadow"]',
    ],
)
def test_a_file_that_was_found_leads_nowhere_else(project: Path, line: str) -> None:
    (project / "link").symlink_to("/etc/hostname")
    (project / ".iptlint.toml").write_text(f"{line}\n")
    assert "only --config may say so" in refusal("hosts")


def test_a_file_that_was_found_says_nothing_of_where_to_write(project: Path) -> None:
    (project / ".iptlint.toml").write_text('output-format = ["json:/tmp/x"]\n')
    assert "named on the command line" in refusal("hosts")


def test_what_config_names_may_lead_anywhere(project: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    own = tmp_path / "elsewhere" / "x.toml"
    own.write_text('ipset = ["../sets"]\noutput-format = ["json:out"]\nexit-zero = true\n')
    (project / "sets").write_text("create a hash:ip\n")
    CliRunner().invoke(group, ["hosts", "--config", str(own)], standalone_mode=False)
    paths = [file["path"] for file in json.loads((project / "out").read_text())["files"]]
    assert "sets" in paths


def test_a_link_that_leads_out_is_no_configuration(project: Path, tmp_path: Path) -> None:
    (project / "hosts" / ".iptlint.toml").symlink_to("/etc/hostname")
    assert codes("hosts")


def test_a_broken_file_of_others_is_left_alone(project: Path) -> None:
    (project / "pyproject.toml").write_text("a = \n")
    assert codes("hosts")
    (project / "pyproject.toml").write_text('[tool.iptlint]\nselect = ["IPT601"]\na = \n')
    assert "pyproject.toml: this is not TOML: look at line 3" in refusal("hosts")


def test_config_says_what_holds_and_where_it_comes_from(project: Path) -> None:
    (project / ".iptlint.toml").write_text(
        '\nselect = ["IPT101"]\n[[overrides]]\nfiles = ["hosts/db/*"]\nssh-ports = [2222]\n'
    )
    shown = CliRunner().invoke(group, ["config", "hosts/db/rules.v4"], standalone_mode=False).stdout
    assert f'select = ["IPT101"]  # {project}/.iptlint.toml:2\n' in shown
    assert 'fail-on = "warning"  # default\n' in shown
    assert "# for hosts/db/*:" in shown
    assert "ssh-ports = [2222]\n" in shown


def test_the_schema_takes_what_is_taken(project: Path) -> None:
    shown = CliRunner().invoke(group, ["config", "--schema"], standalone_mode=False).stdout
    validator = jsonschema.Draft202012Validator(json.loads(shown))
    good = {"select": ["IPT1"], "timeout": 3, "severity": {"IPT101": "info"}, "ssh-ports": [22]}
    assert [*validator.iter_errors(good)] == []
    for bad in ({"slect": []}, {"timeout": "x"}, {"overrides": [{"ignore": []}]}, {"profile": "x"}):
        assert [*validator.iter_errors(bad)], bad
