"""What the aws CLI prints, read: entries, places, and what is wrong with them."""

from __future__ import annotations

import json
from ipaddress import ip_network

import pytest

from iptlint.analysis.cloud_words import entry_in_words
from iptlint.dialects import Reading, read
from iptlint.dialects.clouds import one_of
from iptlint.dialects.document.json_tree import JsonError, parse
from iptlint.dialects.document.node import Node
from iptlint.model.cloud import Cloud, GroupPeer, ListPeer, Traffic
from iptlint.source import SourceFile

Value = dict[str, "Value"] | list["Value"] | str | bool | None


def reading(document: object, path: str = "x.json") -> Reading:
    return read(SourceFile(path, json.dumps(document, indent=2)))


def cloud(document: object, path: str = "x.json") -> Cloud:
    found = reading(document, path)
    assert found.diagnostics == ()
    assert found.ruleset.cloud is not None
    return found.ruleset.cloud


def plain(node: Node) -> Value:
    match node.value:
        case dict(members):
            return {key: plain(value) for key, value in members.items()}
        case list(items):
            return [plain(each) for each in items]
        case other:
            return other


@pytest.mark.parametrize(
    "text", ['{"a": [1, {"b": "x\\u00e9"}, [], {}, null, true], "c": -1.5e3}', '""', " [ 1 , 2 ] "]
)
def test_json_is_read_as_python_reads_it(text: str) -> None:
    known = json.loads(text, parse_int=str, parse_float=str)
    assert plain(parse(SourceFile("x", text))) == known


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("", 0),
        ("{", 1),
        ("[1 2]", 3),
        ('{"a" 1}', 5),
        ("[1,]", 3),
        ('{"a":1,}', 7),
        ('{"a":1} x', 8),
        ("[01]", 1),
        ("[" * 600, 501),
    ],
)
def test_what_is_no_json_is_told_of_at_its_place(text: str, start: int) -> None:
    with pytest.raises(JsonError) as error:
        parse(SourceFile("x", text))
    assert error.value.start == start


def acl(**entry: object) -> dict[str, object]:
    row = {"CidrBlock": "0.0.0.0/0", "Egress": False, "RuleAction": "allow", "RuleNumber": 100}
    return {"NetworkAcls": [{"NetworkAclId": "acl-1", "Entries": [row | entry]}]}


@pytest.mark.parametrize(
    ("entry", "traffic"),
    [
        ({"Protocol": "-1"}, Traffic()),
        ({"Protocol": "6", "PortRange": {"From": 22, "To": 23}}, Traffic(6, (22, 23))),
        ({"Protocol": "17"}, Traffic(17)),
        ({"Protocol": "1", "IcmpTypeCode": {"Type": 8, "Code": -1}}, Traffic(1, None, 8)),
        ({"Protocol": "1", "IcmpTypeCode": {"Type": -1, "Code": -1}}, Traffic(1)),
        ({"Protocol": "-1", "PortRange": {"From": 22, "To": 22}}, Traffic()),
        ({"Protocol": "50", "PortRange": {"From": 22, "To": 22}}, Traffic(50)),
    ],
)
def test_what_an_entry_of_an_acl_is_about(entry: dict[str, object], traffic: Traffic) -> None:
    (found,) = cloud(acl(**entry)).filters
    assert [each.traffic for each in found.inbound] == [traffic]
    assert found.outbound == ()


@pytest.mark.parametrize(
    ("permission", "traffic", "words"),
    [
        (
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443},
            Traffic(6, (443, 443)),
            "tcp port 443",
        ),
        ({"IpProtocol": "-1"}, Traffic(), "all traffic"),
        (
            {"IpProtocol": "udp", "FromPort": 0, "ToPort": 65535},
            Traffic(17, (0, 65535)),
            "any port",
        ),
        ({"IpProtocol": "tcp", "FromPort": -1, "ToPort": -1}, Traffic(6), "tcp"),
        ({"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1}, Traffic(1, None, 8), "echo-request"),
        ({"IpProtocol": "icmpv6", "FromPort": -1, "ToPort": -1}, Traffic(58), "ipv6-icmp"),
    ],
)
def test_what_a_permission_is_about(
    permission: dict[str, object], traffic: Traffic, words: str
) -> None:
    ranges = {"IpRanges": [{"CidrIp": "198.51.100.0/24"}]}
    group = {"GroupId": "sg-1", "IpPermissions": [permission | ranges]}
    found = cloud({"SecurityGroups": [group]})
    (entry,) = found.filters[0].inbound
    assert entry.traffic == traffic
    said = entry_in_words(found, entry, inbound=True)
    assert words in said
    assert said.endswith("from 198.51.100.0/24")


def test_who_a_permission_is_for() -> None:
    permission = {
        "IpProtocol": "-1",
        "IpRanges": [{"CidrIp": "10.0.0.0/8"}],
        "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32"}],
        "PrefixListIds": [{"PrefixListId": "pl-1"}],
        "UserIdGroupPairs": [
            {"GroupId": "sg-2", "UserId": "1"},
            {"GroupId": "sg-3", "UserId": "2"},
        ],
    }
    group = {"GroupId": "sg-1", "OwnerId": "1", "IpPermissions": [permission]}
    (found,) = cloud({"SecurityGroups": [group]}).filters
    assert [entry.peer for entry in found.inbound] == [
        ip_network("10.0.0.0/8"),
        ip_network("2001:db8::/32"),
        ListPeer("pl-1"),
        GroupPeer("sg-2"),
        GroupPeer("sg-3", foreign=True),
    ]


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"Protocol": "6", "RuleAction": "permit"}, "allow or deny"),
        ({"Protocol": "6", "CidrBlock": "10.0.0/8"}, "a network such as"),
        ({"Protocol": "tcpp"}, "a protocol such as"),
        ({"Protocol": "6", "PortRange": [22]}, "an object"),
    ],
)
def test_an_entry_that_cannot_be_read_may_do_anything(
    entry: dict[str, object], sentence: str
) -> None:
    found = reading(acl(**entry))
    (diagnostic,) = found.diagnostics
    assert sentence in diagnostic.message
    assert found.ruleset.source.text[diagnostic.start : diagnostic.end]
    chain = found.ruleset.tables[0].chains["acl-1 inbound"]
    assert [rule.read for rule in chain.rules][:1] == [False]


def test_the_entries_of_a_list_are_told_by_the_name_of_the_file() -> None:
    document = {"Entries": [{"Cidr": "198.51.100.0/24"}]}
    (found,) = cloud(document, "aws/pl-0abc.json").prefix_lists
    assert (found.id, found.networks) == ("pl-0abc", (ip_network("198.51.100.0/24"),))
    assert "a file with the list's id" in reading(document, "x.json").diagnostics[0].message


def test_members_of_a_group_come_from_another_document() -> None:
    interface = {
        "NetworkInterfaceId": "eni-1",
        "PrivateIpAddress": "10.0.0.7",
        "Groups": [{"GroupId": "sg-2"}],
    }
    both = one_of(
        [
            reading({"SecurityGroups": [{"GroupId": "sg-1"}]}),
            reading({"NetworkInterfaces": [interface]}),
        ]
    ).ruleset.cloud
    assert both is not None
    assert both.members("sg-2") == (ip_network("10.0.0.7"),)
    assert both.all_interfaces


def test_a_document_that_is_cut_off_is_a_finding_and_no_crash() -> None:
    text = json.dumps(acl(Protocol="6"), indent=2)
    for end in range(20, len(text), 7):
        found = read(SourceFile("x.json", text[:end]))
        assert found.diagnostics
