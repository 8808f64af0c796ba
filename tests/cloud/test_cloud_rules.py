"""What lint rules say of clouds, beside their fixtures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from iptlint.analysis.cloud_entries import covered_entries, eclipsed_entries
from iptlint.analysis.cloud_hosts import held_by_one, machines
from iptlint.analysis.cloud_sets import cloud_sets, names_a_service
from iptlint.analysis.return_paths import Extent, lost_answers
from iptlint.analysis.session import Context, Settings
from iptlint.analysis.world_openings import world_openings
from iptlint.cli import group
from iptlint.dialects import read
from iptlint.dialects.clouds import one_of
from iptlint.dialects.decode import load
from iptlint.model import Family
from iptlint.model.cloud import Cloud, FilterKind
from iptlint.packets.bdd import union
from tests.cloud.test_random_clouds import as_read
from tests.expectations import ROOT, broken
from tests.oracle.clouds import Maker, first_stop

CLOUDS = ROOT / "fixtures" / "cloud"


def cloud_in(folder: Path) -> Cloud:
    found = one_of([read(load(str(path))) for path in sorted(folder.glob("*.json"))]).ruleset.cloud
    assert found is not None
    return found


def context_of(folder: Path) -> Context:
    rulesets = tuple(read(load(str(path))).ruleset for path in sorted(folder.glob("*.v4")))
    return Context(rulesets, Settings(), cloud=cloud_in(folder))


def findings(folder: Path, *options: str) -> list[tuple[str, str]]:
    args = ["check", str(folder), "--output-format", "json", *options]
    result = CliRunner().invoke(group, args, standalone_mode=False, catch_exceptions=False)
    report = json.loads(result.stdout)
    assert broken(report) == []
    return [(each["code"], Path(each["path"]).name) for each in report["findings"]]


def test_a_web_tier_as_it_should_be_has_no_finding() -> None:
    assert findings(CLOUDS / "web-tier", "--select", "IPT95") == []


def test_the_checklist_is_told_where_the_documents_say_it() -> None:
    assert findings(CLOUDS / "checklist" / "acl-out", "--select", "IPT95") == [
        ("IPT951", "acls.json")
    ]
    assert findings(CLOUDS / "checklist" / "host", "--select", "IPT958") == [
        ("IPT958", "groups.json"),
        ("IPT958", "rules.v4"),
    ]


def test_a_service_that_one_layer_holds_back_is_not_called_exposed() -> None:
    folder = ROOT / "fixtures" / "rules" / "IPT952" / "bad"
    codes = {code for code, _ in findings(folder, "--select", "IPT603,IPT952")}
    assert codes == {"IPT952"}
    alone = CliRunner().invoke(
        group,
        ["check", str(folder / "rules.v4"), "--select", "IPT603,IPT952"],
        standalone_mode=False,
    )
    assert "IPT603" in alone.stdout


def test_whose_rules_they_are_is_clear_with_one_machine_only() -> None:
    clear = context_of(ROOT / "fixtures" / "rules" / "IPT952" / "bad")
    assert [each.interface.id for each in machines(clear)] == ["eni-1"]
    assert [service.name for held in held_by_one(clear) for service, _ in held.services] == [
        "PostgreSQL"
    ]
    assert machines(context_of(ROOT / "fixtures" / "rules" / "IPT952" / "good_which")) == ()


def test_how_many_ports_of_a_client_get_no_answer() -> None:
    folder = ROOT / "fixtures" / "rules" / "IPT951"
    extents = {
        name: {lost.extent for lost in lost_answers(cloud_in_file(folder / f"{name}.json"))}
        for name in ("bad", "bad_partly", "good")
    }
    assert extents == {"bad": {Extent.ALL}, "bad_partly": {Extent.MANY}, "good": set()}


def cloud_in_file(path: Path) -> Cloud:
    found = read(load(str(path))).ruleset.cloud
    assert found is not None
    return found


def test_two_halves_of_the_world_are_the_world() -> None:
    found = cloud_in_file(ROOT / "fixtures" / "rules" / "IPT956" / "bad_halves.json")
    assert [each.family for each in world_openings(found)] == [Family.IP]


EVERY = {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
HALF = {"IpRanges": [{"CidrIp": "0.0.0.0/1"}]}


@pytest.mark.parametrize(
    ("entry", "peers", "wider"),
    [
        ({"IpProtocol": "-1"}, EVERY, "all traffic"),
        ({"IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535}, EVERY, "tcp, any port"),
        ({"IpProtocol": "tcp", "FromPort": 20, "ToPort": 20000}, EVERY, "tcp ports 20-20000"),
        ({"IpProtocol": "tcp", "FromPort": 22, "ToPort": 23}, EVERY, "tcp ports 22-23"),
        ({"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}, EVERY, None),
        # To every address only together with the other half of them, which is let in to SSH.
        ({"IpProtocol": "-1"}, HALF, None),
    ],
)
def test_what_else_is_opened_with_a_service(
    tmp_path: Path,
    entry: dict[str, object],
    peers: dict[str, object],
    wider: str | None,
) -> None:
    """A range of ports is not everything, however wide it is, nor are all ports of tcp."""
    other_half = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
    other_half |= {"IpRanges": [{"CidrIp": "128.0.0.0/1"}]}
    entries = [entry | peers, *([other_half] if peers is HALF else [])]
    group = {"GroupId": "sg-1", "IpPermissions": entries, "IpPermissionsEgress": []}
    path = tmp_path / "groups.json"
    path.write_text(json.dumps({"SecurityGroups": [group]}), "utf-8")
    first, *_ = world_openings(cloud_in_file(path))
    assert first.wider == wider


@pytest.mark.parametrize("name", ["bad.json", "bad_ipv6.json", "bad_union.json"])
def test_an_eclipsed_entry_differs_from_who_takes_its_packets(name: str) -> None:
    dead = [*eclipsed_entries(cloud_in_file(ROOT / "fixtures" / "rules" / "IPT954" / name))]
    assert dead
    for each in dead:
        assert each.takers
        allowed = {taker.allows for taker in each.takers}
        assert each.differs is (allowed != {each.entry.allows})


@pytest.mark.parametrize("seed", range(12))
def test_an_entry_that_gets_no_packet_can_go(seed: int) -> None:
    """The walker says the same without the entries that are called shadowed or redundant."""
    maker = Maker(seed)
    cloud = maker.cloud()
    packets = [maker.packet(version) for version in (4, 6) for _ in range(60)]
    before = [first_stop(cloud, packet) for packet in packets]
    known = as_read(cloud)
    for dead in eclipsed_entries(known):
        for acl in cloud.documents["acls"]["NetworkAcls"]:
            if acl["NetworkAclId"] == dead.acl.id:
                acl["Entries"] = [
                    each
                    for each in acl["Entries"]
                    if (each["RuleNumber"], each["Egress"]) != (dead.entry.number, not dead.inbound)
                ]
    assert [first_stop(cloud, packet) for packet in packets] == before
    gone = {each.entry for each in covered_entries(known)}
    sets = cloud_sets(known)
    for one in known.of_kind(FilterKind.GROUP):
        for inbound in (True, False):
            entries = one.entries(inbound=inbound)
            kept = [sets.entry(each, inbound=inbound) for each in entries if each not in gone]
            assert sets.groups([one], inbound=inbound) == union(kept, sets.space.false)


def test_an_entry_for_many_ports_is_for_no_service() -> None:
    found = cloud_in(CLOUDS / "checklist" / "reachable")
    acl = found.filters[0]
    assert [names_a_service(entry) for entry in acl.inbound] == [True, True, False, False]


def test_a_host_and_the_cloud_around_it_are_two_in_a_matrix() -> None:
    """Each calls its interfaces by names of its own."""
    folder = str(CLOUDS / "checklist" / "reachable")
    result = CliRunner().invoke(group, ["matrix", folder], standalone_mode=False)
    assert result.exception is None
    (internet,) = [line for line in result.stdout.splitlines() if line.startswith("internet")][:1]
    assert "yes v4" in internet
    assert "differs" in internet
    assert f"{folder}/rules.v4: IPv4: yes" in " ".join(result.stdout.split())


def test_what_answers_without_a_filter_opens_nothing() -> None:
    folder = str(CLOUDS / "checklist" / "reachable")
    asked = ["--hook", "input", "--iif", "eni-0a1", "--saddr", "169.254.169.254", "--proto", "tcp"]
    asked += ["--dport", "25", "--output-format", "json"]
    for state, verdict in (("new", "drop"), ("established", "accept")):
        command = ["trace", folder, *asked, "--ct-state", state]
        result = CliRunner().invoke(group, command, standalone_mode=False)
        verdicts = {each["verdict"] for each in json.loads(result.stdout)["outcomes"]}
        assert verdicts == {verdict}
