"""``iptlint path`` on whole clouds: which layer stops a connection, and what is said of it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from iptlint.analysis.cloud_layers import LayerKind
from iptlint.analysis.cloud_matrix import ServicePorts
from iptlint.analysis.cloud_path import Passing
from iptlint.analysis.cloud_routes import internet
from iptlint.analysis.host_layers import HostFirewall
from iptlint.cli import group
from iptlint.host.archive import save
from iptlint.model import Family
from iptlint.packets.space import Space
from tests.expectations import ROOT
from tests.host.made_up import Root

CLOUDS = ROOT / "fixtures" / "cloud"
CHECKLIST = {
    "reachable": None,
    "group-in": "groups_in",
    "acl-in": "acl_in",
    "acl-out": "acl_out",
    "acl-out-partly": "acl_out",
    "route": "route",
    "route-nat": "route",
    "gateway": "route",
    "host": "host_in",
    "host-out": "host_out",
}
"""The layer that stops a client at port 443, by the name of the folder."""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(group, ["path", *arguments], standalone_mode=False)


def answer(folder: str, *arguments: str) -> dict[str, object]:
    result = run("--aws", str(CLOUDS / folder), *arguments, "--output-format", "json")
    assert result.exception is None, result.output
    report = json.loads(result.stdout)
    schema = json.loads((ROOT / "docs" / "json-schema.json").read_text("utf-8"))
    schema |= {"$ref": "#/$defs/path"}
    jsonschema.Draft202012Validator(schema).validate(report)
    (one,) = report["paths"]
    assert result.return_value == (0 if one["works"] else 1)
    return dict(one)


def layers(found: dict[str, object]) -> dict[str, str]:
    rows = found["layers"]
    assert isinstance(rows, list)
    return {row["layer"]: row["answer"] for row in rows}


def test_every_step_of_the_checklist_has_a_folder() -> None:
    assert {path.name for path in (CLOUDS / "checklist").iterdir()} == {*CHECKLIST}


@pytest.mark.parametrize("name", CHECKLIST)
def test_the_answer_names_the_layer(name: str) -> None:
    rules = str(CLOUDS / "checklist" / name / "rules.v4")
    found = answer(f"checklist/{name}", "--from", "198.51.100.7", "--dport", "443", rules)
    assert found["stopped_at"] == CHECKLIST[name]
    assert found["works"] is (CHECKLIST[name] is None)


def test_an_acl_is_partly_closed_to_answers() -> None:
    rules = str(CLOUDS / "checklist" / "acl-out-partly" / "rules.v4")
    asked = ("checklist/acl-out-partly", "--from", "198.51.100.7", "--dport", "443", rules)
    found = answer(*asked)
    assert found["through"] == "from port 32768-60999"
    assert layers(found)["acl_out"] == "partly"
    assert answer(*asked, "--sport", "40000")["works"] is True
    assert answer(*asked, "--sport", "1024")["stopped_at"] == "acl_out"


def test_the_text_says_where_and_what_it_would_take() -> None:
    folder = CLOUDS / "checklist" / "acl-in"
    result = run("--aws", str(folder), "--from", "198.51.100.7", "--dport", "443")
    assert "entry 90 of acl-0a1 denies tcp port 443" in result.stdout
    assert "acls.json:34" in result.stdout
    assert "an inbound entry of acl-0a1, before entry 90" in result.stdout


def test_a_load_balancer_gets_to_the_web_tier_and_the_internet_does_not() -> None:
    rules = str(CLOUDS / "web-tier" / "web.v4")
    web = ("web-tier", "--instance", "i-0w1", rules)
    assert answer(*web, "--dport", "8080")["stopped_at"] == "route"
    found = answer(*web, "--dport", "8080", "--from", "eni-0lba")
    assert found["works"] is True
    assert {*layers(found)} >= {"sender_groups", "sender_acl", "sender_back"}
    assert answer(*web, "--dport", "22", "--from", "eni-0lba")["stopped_at"] == "sender_groups"


def test_only_the_web_tier_and_the_bastion_get_to_the_database() -> None:
    rules = str(CLOUDS / "web-tier" / "db.v4")
    found = answer("web-tier", "--instance", "i-0db", "--from", "10.0.0.0/16", rules)
    assert found["through"] == (
        "tcp from 10.0.32.11 or 10.0.32.12 to port 5432; or tcp from 10.0.0.5 to port 22"
    )


def test_a_prefix_list_holds_the_offices() -> None:
    bastion = ("web-tier", "--instance", "i-0bas")
    assert answer(*bastion, "--dport", "22", "--from", "203.0.113.130")["works"] is True
    assert answer(*bastion, "--dport", "22", "--from", "203.0.113.230")["stopped_at"] == "groups_in"
    assert answer(*bastion, "--dport", "22", "--from", "203.0.113.1")["stopped_at"] == "acl_in"


def test_the_acl_that_forgot_the_ephemeral_ports_forgot_them_for_ipv4() -> None:
    web = ("forgot-ephemeral", "--dport", "443")
    assert answer(*web, "--from", "198.51.100.7")["stopped_at"] == "acl_out"
    assert answer(*web, "--from", "2001:db8:ffff::1")["works"] is True


def test_what_is_behind_other_gateways_is_not_known() -> None:
    node = ("eks-node", "--interface", "eni-0f1", "--dport", "30080", "--proto", "tcp")
    for network in ("10.9.1.1", "10.8.1.1"):
        found = answer(*node, "--from", network)
        assert layers(found)["route"] == "unknown"
        assert found["works"] is False
    assert answer(*node, "--from", "10.0.99.1")["works"] is True


def test_a_pod_has_groups_of_its_own() -> None:
    found = answer("eks-node", "--interface", "eni-0f2", "--dport", "53", "--from", "eni-0f1")
    assert found["works"] is True
    assert answer("eks-node", "--interface", "eni-0f2", "--dport", "53", "--from", "eni-0cp")[
        "stopped_at"
    ] in ("sender_groups", "groups_in")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--instance", "i-0w3"), "did you mean i-0w"),
        (("--from", "eni-nope", "--instance", "i-0w1"), "is no address, no network"),
        ((), "name the machine with --instance"),
        (("--instance", "i-0w1", "--from", "2001:db8::1"), "no addresses of the same family"),
        (("--instance", "i-0w1", "--proto", "nope"), "is no protocol"),
    ],
)
def test_a_wrong_question_is_a_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    result = run("--aws", str(CLOUDS / "web-tier"), *arguments)
    assert result.exception is not None
    assert sentence in str(result.exception)


def test_without_documents_there_is_nothing_to_say(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"name": "x"}')
    result = run("--aws", str(tmp_path), "--dport", "443")
    assert "no document of a cloud" in str(result.exception)


def test_the_page_says_first_what_comes_of_it() -> None:
    folder = CLOUDS / "checklist" / "acl-out-partly"
    asked = ("--from", "198.51.100.7", "--dport", "443", str(folder / "rules.v4"))
    result = run("--aws", str(folder), *asked, "--output-format", "html")
    assert result.return_value == 1
    page = result.stdout
    assert page.count("<tr") == 8
    assert '<p class="answer">Gets through: from port 32768-60999</p>' in page
    assert "It would take an outbound entry of acl-0a1" in page
    assert '<tr class="danger"><th scope="row">ACL, answers' in page
    assert "default-src &#39;none&#39;; style-src" in page


def test_names_of_documents_are_text_on_the_page(tmp_path: Path) -> None:
    for path in (CLOUDS / "checklist" / "reachable").iterdir():
        text = path.read_text("utf-8").replace("igw-0a1", "<script>alert(1)</script>")
        (tmp_path / path.name).write_text(text, "utf-8")
    result = run("--aws", str(tmp_path), "--dport", "443", "--output-format", "html")
    assert "&lt;script&gt;alert(1)" in result.stdout
    assert "<script" not in result.stdout


def test_the_matrix_is_a_page_too() -> None:
    folder = CLOUDS / "checklist" / "acl-out-partly"
    asked = ("--matrix", str(folder / "rules.v4"), "--output-format", "html")
    result = run("--aws", str(folder), *asked)
    assert '<td class="no">nobody</td>' in result.stdout
    assert '<td class="some">from port 32768-60999</td>' in result.stdout


def test_the_matrix_says_who_gets_through_each_layer() -> None:
    folder = CLOUDS / "web-tier"
    asked = ("--instance", "i-0db", "--from", "10.0.0.0/16", "--matrix", str(folder / "db.v4"))
    result = run("--aws", str(folder), *asked, "--output-format", "json")
    report = json.loads(result.stdout)
    schema = json.loads((ROOT / "docs" / "json-schema.json").read_text("utf-8"))
    schema |= {"$ref": "#/$defs/path_matrix"}
    jsonschema.Draft202012Validator(schema).validate(report)
    (matrix,) = report["matrices"]
    through = {str(each["ports"]): each["gets_through"] for each in matrix["services"]}
    assert through == {
        "None": "nobody",
        "[22, 22]": "10.0.0.5",
        "[5432, 5432]": "10.0.32.11 or 10.0.32.12",
    }
    of_database = {each["layer"]: each["who"] for each in matrix["services"][-1]["layers"]}
    assert of_database["host_in"] == "10.0.32.0/20"
    text = run("--aws", str(folder), *asked)
    assert text.return_value == 0
    assert "tcp 5432" in text.stdout


def test_services_are_told_apart_by_their_ports() -> None:
    assert ServicePorts(6, (22, 22)) != ServicePorts(6, (22, 23))


def test_words_of_the_layers_are_told_apart() -> None:
    assert len({kind.value for kind in LayerKind}) == len(LayerKind)
    assert len({each.value for each in Passing}) == len(Passing)
    assert HostFirewall.__dataclass_fields__.keys() >= {"ruleset", "addresses", "listeners"}


def test_no_private_address_is_of_the_internet() -> None:
    space = Space(("ip",), (), defragmented=True)
    world = internet(space, Family.IP)
    for network, inside in ((0x0A000001, False), (0xC6336407, True), (0x7F000001, False)):
        packets = space.value(Family.IP.saddr, network) & world
        assert packets.satisfiable() is inside


# -- a capture ----------------------------------------------------------------------------------

RULES = """\
*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 444 -j REDIRECT --to-ports 443
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -i ens5 -p tcp -m multiport --dports 80,443,8443,9100,9101 -j ACCEPT
COMMIT
"""
SOCKETS = """\
tcp LISTEN 0 4096 0.0.0.0:443 0.0.0.0:*
tcp LISTEN 0 4096 127.0.0.1:80 0.0.0.0:*
tcp LISTEN 0 4096 10.0.1.10:9100 0.0.0.0:*
tcp LISTEN 0 4096 10.0.1.10%ens5:9101 0.0.0.0:*
"""


@pytest.mark.parametrize(
    ("port", "stopped"),
    [
        *((443, None), (444, None), (9100, None), (9101, None)),
        *((80, "listener"), (8443, "listener"), (22, "host_in")),
    ],
)
def test_a_capture_knows_what_listens(tmp_path: Path, port: int, stopped: str | None) -> None:
    """And by which interface the cloud comes in: it has the address."""
    saved = tmp_path / "host.tar.gz"
    ens5 = {"ifname": "ens5", "addr_info": [{"local": "10.0.1.10", "prefixlen": 24}]}
    root = Root(tmp_path / "root")
    alive = root.alive(iptables_legacy_save=RULES, addresses=json.dumps([ens5]), ss=SOCKETS)
    save(alive, str(saved))
    folder = open_cloud(tmp_path)
    asked = ["--aws", str(folder), "--from", "198.51.100.7", "--dport", str(port), str(saved)]
    result = run(*asked, "--output-format", "json")
    (found,) = json.loads(result.stdout)["paths"]
    assert found["stopped_at"] == stopped


def open_cloud(folder: Path) -> Path:
    """One machine at whose edges everything is open."""
    made = folder / "aws"
    made.mkdir()
    every = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    groups = [{"GroupId": "sg-1", "IpPermissions": every, "IpPermissionsEgress": every}]
    own = {"NetworkInterfaceId": "eni-1", "PrivateIpAddress": "10.0.1.10"}
    own |= {"Groups": [{"GroupId": "sg-1"}], "Attachment": {"InstanceId": "i-1"}}
    (made / "groups.json").write_text(json.dumps({"SecurityGroups": groups}))
    (made / "interfaces.json").write_text(json.dumps({"NetworkInterfaces": [own]}))
    return made


def test_one_page_of_several_is_named(tmp_path: Path) -> None:
    folder = open_cloud(tmp_path)
    text = (folder / "groups.json").read_text()
    (folder / "groups.json").write_text(text[:-1] + ', "NextToken": "abc"}')
    assert any("one page of several" in note for note in answer_of(folder)["notes"])


def answer_of(folder: Path) -> dict[str, list[str]]:
    result = run("--aws", str(folder), "--dport", "443", "--output-format", "json")
    (found,) = json.loads(result.stdout)["paths"]
    return dict(found)


def test_yaml_of_the_cli_is_read_too(tmp_path: Path) -> None:
    folder = open_cloud(tmp_path)
    (folder / "groups.json").unlink()
    (folder / "groups.yaml").write_text(
        "SecurityGroups:\n- GroupId: sg-1\n  IpPermissions:\n  - FromPort: 443\n"
        "    IpProtocol: tcp\n    IpRanges:\n    - CidrIp: 0.0.0.0/0\n    ToPort: 443\n"
    )
    for port, layer in (("443", None), ("22", "groups_in")):
        result = run("--aws", str(folder), "--dport", port, "--output-format", "json")
        (found,) = json.loads(result.stdout)["paths"]
        assert found["stopped_at"] == layer


def test_a_route_whose_target_is_gone_names_it(tmp_path: Path) -> None:
    for file in (CLOUDS / "checklist" / "reachable").iterdir():
        text = file.read_text("utf-8")
        if file.name == "routes.json":
            document = json.loads(text)
            for table in document["RouteTables"]:
                for route in table["Routes"]:
                    if route.get("DestinationCidrBlock") == "0.0.0.0/0":
                        route["State"] = "blackhole"
            text = json.dumps(document)
        (tmp_path / file.name).write_text(text, "utf-8")
    said = " ".join(run("--aws", str(tmp_path), "--from", "198.51.100.7").stdout.split())
    assert "leads to nothing, as its target is gone (blackhole): igw-0a1" in said


def test_a_prefix_list_without_its_entries_is_why_something_is_not_known(tmp_path: Path) -> None:
    folder = open_cloud(tmp_path)
    (folder / "groups.json").unlink()
    (folder / "groups.yaml").write_text(
        "SecurityGroups:\n- GroupId: sg-1\n  IpPermissions:\n  - FromPort: 443\n"
        "    IpProtocol: tcp\n    PrefixListIds:\n    - PrefixListId: pl-1\n    ToPort: 443\n"
    )
    said = " ".join(run("--aws", str(folder), "--dport", "443").stdout.split())
    assert "pl-1, of which no document has the entries" in said
