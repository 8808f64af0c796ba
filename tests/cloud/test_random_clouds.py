"""Random clouds of one machine: the answer about all packets at once agrees with a walker that
sends them one by one."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from iptlint.analysis.cloud_path import CloudPath, PathQuestion, cloud_path
from iptlint.analysis.host_layers import HostFirewall
from iptlint.dialects import read
from iptlint.dialects.clouds import one_of
from iptlint.model import Family, Field
from iptlint.model import cloud as model
from iptlint.model.host_addresses import HostAddresses
from iptlint.source import SourceFile
from tests.oracle import clouds
from tests.oracle.clouds import UNKNOWN, Cloud, Maker, Packet, first_stop

SEEDS = (*range(15), 237, 367, 410)
ALL_SEEDS = range(500)
PACKETS = 60
FAMILIES = {4: Family.IP, 6: Family.IP6}
ECHO = {4: 8, 6: 128}
EVERYBODY = {4: ip_network("0.0.0.0/0"), 6: ip_network("::/0")}


def as_read(cloud: Cloud) -> model.Cloud:
    sources = (
        SourceFile(f"{name}.json", json.dumps(document, indent=1))
        for name, document in cloud.documents.items()
    )
    found = one_of([read(source) for source in sources])
    assert found.diagnostics == ()
    assert found.ruleset.cloud is not None
    return found.ruleset.cloud


def host_of(cloud: Cloud, version: int) -> HostFirewall:
    name = "rules.v4" if version == 4 else "rules.v6"
    ruleset = read(SourceFile(name, cloud.host_text(version))).ruleset
    own = tuple(map(ip_network, cloud.own.values()))
    return HostFirewall(ruleset, HostAddresses(own=own, complete=True))


def question(cloud: model.Cloud, own: str, client: str | None) -> PathQuestion:
    interface = cloud.interface("eni-1")
    assert interface is not None
    address = ip_address(own)
    network = EVERYBODY[address.version] if client is None else ip_network(client)
    return PathQuestion(interface, address, (network,))


def stops(path: CloudPath, packet: Packet) -> str | None:
    """The first layer that holds the packet back."""
    space, family = path.space, FAMILIES[packet.version]
    point = space.value(family.saddr, int(ip_address(packet.client)))
    point = point & space.value(Field.PROTO, packet.number)
    if packet.has_ports:
        point = point & space.value(Field.SPORT, packet.sport)
        point = point & space.value(Field.DPORT, packet.dport)
    elif packet.proto != "gre":
        point = point & space.value(Field.ICMP_TYPE, ECHO[packet.version])
        point = point & space.value(Field.ICMP_CODE, 0)
    assert (point & path.asked).satisfiable()
    for row in path.rows:
        held = point & path.asked & row.held
        if held.satisfiable():
            sure = not (held & row.layer.passes).satisfiable()
            return row.layer.kind.name.lower() if sure else UNKNOWN
    return None


def check(seed: int) -> Counter[str | None]:
    maker = Maker(seed)
    cloud = maker.cloud()
    known = as_read(cloud)
    met: Counter[str | None] = Counter()
    for version in (4, 6):
        host = host_of(cloud, version)
        path = cloud_path(known, question(known, cloud.own[version], None), host)
        for _ in range(PACKETS // 2):
            packet = maker.packet(version)
            expected = first_stop(cloud, packet)
            assert stops(path, packet) == expected, (seed, packet)
            met[expected] += 1
        check_one(maker, cloud, known, version)
    return met


def check_one(maker: Maker, cloud: Cloud, known: model.Cloud, version: int) -> None:
    """A question about one packet, and one about what another interface of the cloud sends."""
    packet = maker.packet(version)
    asked = question(known, cloud.own[version], packet.client)
    sender = known.interface("eni-2")
    assert sender is not None
    (address,) = [each for each in sender.addresses if each.version == version]
    sent = replace(packet, client=str(address))
    for one, each, name in ((asked, packet, None), (None, sent, "eni-2")):
        full = replace(
            one or replace(asked, clients=(ip_network(address),), sender=sender),
            proto=each.proto,
            sport=each.sport if each.has_ports else None,
            dport=each.dport if each.has_ports else None,
        )
        path = cloud_path(known, full, host_of(cloud, version))
        expected = first_stop(cloud, each, name)
        assert stops(path, each) == expected, (maker, each, name)
        assert path.works is (expected is None)


@pytest.mark.parametrize("seed", SEEDS)
def test_it_agrees_with_the_walker(seed: int) -> None:
    check(seed)


def test_it_agrees_with_the_walker_on_many(pytestconfig: pytest.Config) -> None:
    if not pytestconfig.getoption("--long"):
        pytest.skip("500 clouds take minutes: --long")
    met: Counter[str | None] = Counter()
    for seed in ALL_SEEDS:
        met += check(seed)
    assert {*met} >= {
        None,
        UNKNOWN,
        "route",
        "acl_in",
        "groups_in",
        "host_in",
        "host_out",
        "acl_out",
    }


def test_the_walker_knows_answers_that_are_known_by_hand() -> None:
    """A walker that lets everything through would agree with anything that does."""
    cloud = Maker(0).cloud()
    cloud.documents["acls"]["NetworkAcls"] = [
        {
            "NetworkAclId": name,
            "Entries": [
                {"RuleNumber": 100, "Egress": False, "RuleAction": "allow", "Protocol": "6"}
                | {"CidrBlock": "0.0.0.0/0", "PortRange": {"From": 443, "To": 443}},
                {"RuleNumber": 100, "Egress": True, "RuleAction": "allow", "Protocol": "6"}
                | {"CidrBlock": "0.0.0.0/0", "PortRange": {"From": 32768, "To": 60999}},
            ],
            "Associations": [{"SubnetId": subnet}],
        }
        for name, subnet in (("acl-1", clouds.SUBNET), ("acl-2", clouds.OTHER_SUBNET))
    ]
    every = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    for each in cloud.documents["groups"]["SecurityGroups"]:
        each |= {"IpPermissions": every, "IpPermissionsEgress": every}
    cloud.documents["routes"]["RouteTables"][0]["Routes"] = [
        {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}
    ]
    own = cloud.documents["interfaces"]["NetworkInterfaces"][0]["PrivateIpAddresses"][0]
    own["Association"] = {"PublicIp": "203.0.113.77"}
    cloud.rules[4], cloud.policies[4] = [], {"INPUT": "ACCEPT", "OUTPUT": "ACCEPT"}
    cloud.redirects[4] = {}
    web = Packet(4, "8.8.8.8", "tcp", 40000, 443)
    assert first_stop(cloud, web) is None
    assert first_stop(cloud, replace(web, dport=80)) == "acl_in"
    assert first_stop(cloud, replace(web, sport=1024)) == "acl_out"
    cloud.policies[4]["INPUT"] = "DROP"
    assert first_stop(cloud, web) == "host_in"
