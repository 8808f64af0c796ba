"""CloudFormation templates and Terraform's JSON: what they say, and what they leave open."""

from __future__ import annotations

import json
from ipaddress import ip_network
from pathlib import Path

import pytest

from iptlint.dialects import Reading, read
from iptlint.dialects.decode import load
from iptlint.model.cloud import (
    Cloud,
    Filter,
    GroupPeer,
    ListPeer,
    TargetKind,
    Traffic,
    UnknownPeer,
)
from iptlint.source import SourceFile
from tests.expectations import ROOT

WEB = ROOT / "fixtures" / "cloud" / "templates" / "web.yaml"


def cloud_of(reading: Reading) -> Cloud:
    assert reading.diagnostics == ()
    assert reading.ruleset.cloud is not None
    return reading.ruleset.cloud


def template(text: str) -> Reading:
    return read(SourceFile("t.yaml", f"AWSTemplateFormatVersion: '2010-09-09'\nResources:\n{text}"))


def only(cloud: Cloud, name: str) -> Filter:
    found = cloud.filter(name)
    assert found is not None
    return found


def test_a_template_is_read_with_its_references() -> None:
    cloud = cloud_of(read(load(str(WEB))))
    web, database, acl = (only(cloud, name) for name in ("WebGroup", "DatabaseGroup", "Acl"))
    assert [entry.peer for entry in web.inbound] == [
        ip_network("0.0.0.0/0"),
        UnknownPeer("Ref OfficeCidr"),
    ]
    assert [entry.peer for entry in database.inbound] == [GroupPeer("WebGroup")]
    assert database.outbound == ()
    assert [entry.peer for entry in web.outbound] == [ip_network("0.0.0.0/0"), ip_network("::/0")]
    assert acl.subnets == ("PublicSubnet",)
    assert [entry.traffic for entry in acl.inbound] == [Traffic(6, (443, 443))]
    routes = cloud.routes_of("PublicSubnet", "Vpc")
    assert routes is not None
    assert [(route.destination, route.kind) for route in routes.routes] == [
        (ip_network("10.0.0.0/16"), TargetKind.LOCAL),
        (ip_network("0.0.0.0/0"), TargetKind.INTERNET),
    ]


def test_an_entry_is_shown_where_it_is_written() -> None:
    reading = read(load(str(WEB)))
    web = only(cloud_of(reading), "WebGroup")
    assert "OfficeCidr" in web.inbound[1].origin.span.text
    assert web.inbound[1].origin.span.line == 73


def test_json_templates_are_read_alike() -> None:
    resource = {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {
            "SecurityGroupIngress": [
                {"IpProtocol": "tcp", "FromPort": "22", "ToPort": "22", "CidrIp": {"Ref": "Net"}},
                {"IpProtocol": -1, "SourcePrefixListId": "pl-1"},
            ]
        },
    }
    document = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"G": resource}}
    found = only(cloud_of(read(SourceFile("t.json", json.dumps(document)))), "G")
    assert [(entry.traffic, entry.peer) for entry in found.inbound] == [
        (Traffic(6, (22, 22)), UnknownPeer("Ref Net")),
        (Traffic(), ListPeer("pl-1")),
    ]


@pytest.mark.parametrize(
    ("written", "peer"),
    [
        ("!Sub '10.0.0.0/8'", ip_network("10.0.0.0/8")),
        ("!Sub '${Net}/8'", UnknownPeer("Sub ${Net}/8")),
        ("!If [Production, 10.0.0.0/8, 0.0.0.0/0]", UnknownPeer("If …")),
        ("!ImportValue office", UnknownPeer("ImportValue office")),
        ("!Ref Net", UnknownPeer("Ref Net")),
    ],
)
def test_what_a_template_leaves_open_is_not_guessed(written: str, peer: object) -> None:
    text = (
        "  G:\n    Type: AWS::EC2::SecurityGroup\n    Properties:\n      SecurityGroupIngress:\n"
        f"        - {{IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: {written}}}\n"
    )
    (entry,) = only(cloud_of(template(text)), "G").inbound
    assert entry.peer == peer


def test_a_port_that_is_left_open_may_be_any_and_is_named() -> None:
    text = (
        "  G:\n    Type: AWS::EC2::SecurityGroup\n    Properties:\n      SecurityGroupIngress:\n"
        "        - {IpProtocol: tcp, FromPort: !Ref Port, ToPort: !Ref Port, CidrIp: 10.0.0.0/8}\n"
    )
    cloud = cloud_of(template(text))
    assert [entry.traffic for entry in only(cloud, "G").inbound] == [None]
    assert any("Ref Port is not known" in text for text in cloud.unsaid)


def test_what_is_there_under_a_condition_is_named() -> None:
    text = "  G:\n    Type: AWS::EC2::SecurityGroup\n    Condition: Production\n"
    assert any("only under a condition" in text for text in cloud_of(template(text)).unsaid)


@pytest.mark.parametrize(
    "text",
    [
        "  G: [\n",
        "  G:\n    Type: AWS::EC2::SecurityGroup\n    Properties: [1, 2]\n",
        "  a: &a [x, x]\n  b: &b [*a, *a]\n  G: {Type: AWS::EC2::NetworkAclEntry, Properties: 7}\n",
        "  G:\n    Type: AWS::EC2::SecurityGroup\n    Properties: {SecurityGroupIngress: text}\n",
    ],
)
def test_a_broken_template_is_a_finding(text: str) -> None:
    assert template(text).diagnostics


def test_aliases_do_not_explode() -> None:
    lines = ["  a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    (diagnostic,) = template("\n".join(lines) + "\n").diagnostics
    assert diagnostic.code == "IPT010"


# -- Terraform --------------------------------------------------------------------------------

PLANNED = {
    "aws_security_group.lb": {
        "name": "lb",
        "ingress": [
            {
                "from_port": 443,
                "to_port": 443,
                "protocol": "tcp",
                "cidr_blocks": ["0.0.0.0/0"],
                "ipv6_cidr_blocks": [],
                "prefix_list_ids": [],
                "security_groups": [],
                "self": False,
                "description": "",
            }
        ],
    },
    "aws_security_group.web": {"name": "web"},
    "aws_security_group_rule.ssh": {
        "type": "ingress",
        "from_port": 22,
        "to_port": 22,
        "protocol": "tcp",
        "cidr_blocks": ["198.51.100.0/24"],
    },
    "aws_vpc_security_group_ingress_rule.self": {
        "ip_protocol": "-1",
        "cidr_ipv6": "2001:db8::/32",
    },
    "aws_network_acl.public": {
        "ingress": [
            {"rule_no": 100, "action": "allow", "protocol": "6", "from_port": 443, "to_port": 443}
            | {"cidr_block": "0.0.0.0/0", "ipv6_cidr_block": "", "icmp_type": 0, "icmp_code": 0}
        ],
    },
    "aws_network_acl_rule.out": {
        "rule_number": 200,
        "egress": True,
        "protocol": "icmp",
        "rule_action": "deny",
        "cidr_block": "10.0.0.0/8",
        "icmp_type": 8,
        "icmp_code": -1,
    },
    "aws_subnet.a": {"cidr_block": "10.0.1.0/24"},
}
CONFIGURED = {
    "aws_security_group.web": {
        "ingress": [
            {
                "from_port": {"constant_value": 8080},
                "to_port": {"constant_value": 8080},
                "protocol": {"constant_value": "tcp"},
                "security_groups": {
                    "references": ["aws_security_group.lb.id", "aws_security_group.lb"]
                },
            },
            {
                "from_port": {"constant_value": 9090},
                "to_port": {"constant_value": 9090},
                "protocol": {"constant_value": "tcp"},
                "cidr_blocks": {"references": ["var.monitoring"]},
            },
            {
                "from_port": {"constant_value": 9091},
                "to_port": {"constant_value": 9091},
                "protocol": {"constant_value": "tcp"},
                "cidr_blocks": {"references": ["data.http.address.body"]},
            },
        ]
    },
    "aws_security_group_rule.ssh": {
        "security_group_id": {"references": ["aws_security_group.web.id", "aws_security_group.web"]}
    },
    "aws_vpc_security_group_ingress_rule.self": {
        "security_group_id": {"references": ["aws_security_group.web.id"]},
    },
    "aws_network_acl.public": {"subnet_ids": {"references": ["aws_subnet.a.id", "aws_subnet.a"]}},
    "aws_network_acl_rule.out": {"network_acl_id": {"references": ["aws_network_acl.public.id"]}},
}


def resource(address: str, **more: object) -> dict[str, object]:
    kind, name = address.split(".")
    return {"address": address, "mode": "managed", "type": kind, "name": name, **more}


def plan() -> dict[str, object]:
    planned = [resource(address, values=values) for address, values in PLANNED.items()]
    configured = [resource(address, expressions=each) for address, each in CONFIGURED.items()]
    return {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "variables": {"monitoring": {"value": ["10.0.9.0/24"]}},
        "planned_values": {"root_module": {"resources": planned}},
        "configuration": {"root_module": {"resources": configured}},
    }


def terraform(document: dict[str, object]) -> Cloud:
    return cloud_of(read(SourceFile("plan.json", json.dumps(document, indent=1))))


def test_a_plan_is_read_with_what_is_known_after_it_is_applied() -> None:
    cloud = terraform(plan())
    web = only(cloud, "aws_security_group.web")
    assert [(entry.traffic, entry.peer) for entry in web.inbound] == [
        (Traffic(6, (8080, 8080)), GroupPeer("aws_security_group.lb")),
        (Traffic(6, (9090, 9090)), ip_network("10.0.9.0/24")),
        (Traffic(6, (9091, 9091)), UnknownPeer("data.http.address.body")),
        (Traffic(6, (22, 22)), ip_network("198.51.100.0/24")),
        (Traffic(), ip_network("2001:db8::/32")),
    ]
    acl = only(cloud, "aws_network_acl.public")
    assert acl.subnets == ("aws_subnet.a",)
    assert [(entry.number, entry.traffic) for entry in acl.inbound] == [
        (100, Traffic(6, (443, 443)))
    ]
    assert [(entry.allows, entry.traffic) for entry in acl.outbound] == [
        (False, Traffic(1, None, 8))
    ]


def test_a_state_knows_its_ids() -> None:
    values = {
        "id": "sg-0abc",
        "name": "web",
        "ingress": [
            {"from_port": 0, "to_port": 0, "protocol": "-1", "cidr_blocks": [], "self": True}
            | {"security_groups": ["sg-0def"]}
        ],
        "egress": [{"from_port": 0, "to_port": 0, "protocol": "-1", "cidr_blocks": ["0.0.0.0/0"]}],
    }
    module = {
        "address": "module.web",
        "resources": [resource("aws_security_group.w", values=values)],
    }
    document = {
        "format_version": "1.0",
        "terraform_version": "1.9.0",
        "values": {"root_module": {"child_modules": [module]}},
    }
    found = only(terraform(document), "sg-0abc")
    assert [entry.peer for entry in found.inbound] == [GroupPeer("sg-0def"), GroupPeer("sg-0abc")]
    assert [entry.traffic for entry in found.outbound] == [Traffic()]


def test_a_stored_state_is_answered_with_the_command(tmp_path: Path) -> None:
    text = '{\n  "version": 4,\n  "terraform_version": "1.9.0",\n  "resources": []\n}\n'
    (diagnostic,) = read(SourceFile("x.tfstate", text)).diagnostics
    assert "terraform show -json" in diagnostic.help
