"""AWS's API, asked: moto answers in its place."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from iptlint.cli import group
from iptlint.dialects import read
from iptlint.dialects.clouds import is_of_cloud, one_of
from iptlint.host.aws_api import CALLS, CloudError, documents

boto3 = pytest.importorskip("boto3")
moto = pytest.importorskip("moto")
REGION = "eu-central-1"


@pytest.fixture
def ec2(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    with moto.mock_aws():
        yield boto3.client("ec2", region_name=REGION)


def made(ec2: object) -> tuple[str, str]:
    """A machine behind a group, in a subnet with routes: its id and that of its group."""
    client: boto3.client = ec2
    vpc = client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = client.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    gateway = client.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    client.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = client.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    client.associate_route_table(RouteTableId=table, SubnetId=subnet)
    client.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    web = client.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    client.authorize_security_group_ingress(
        GroupId=web,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 443,
                "ToPort": 443,
                "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
            }
        ],
    )
    image = client.describe_images()["Images"][0]["ImageId"]
    launched = client.run_instances(
        ImageId=image,
        MinCount=1,
        MaxCount=1,
        NetworkInterfaces=[
            {
                "DeviceIndex": 0,
                "SubnetId": subnet,
                "Groups": [web],
                "AssociatePublicIpAddress": True,
            }
        ],
    )
    return launched["Instances"][0]["InstanceId"], web


def test_each_answer_is_a_document_like_the_cli_s(ec2: object) -> None:
    _, web = made(ec2)
    found = documents(REGION)
    assert len(found) >= len(CALLS)
    assert all(is_of_cloud(each) for each in found)
    cloud = one_of([read(each) for each in found]).ruleset.cloud
    assert cloud is not None
    assert cloud.filter(web) is not None
    assert cloud.all_interfaces


def test_path_asks_aws(ec2: object) -> None:
    instance, _ = made(ec2)
    asked = ["path", "--aws-live", "--region", REGION, "--instance", instance]
    asked += ["--from", "198.51.100.7", "--output-format", "json"]
    web = CliRunner().invoke(group, [*asked, "--dport", "443"], standalone_mode=False)
    (found,) = json.loads(web.stdout)["paths"]
    assert (found["works"], web.return_value) == (True, 0)
    ssh = CliRunner().invoke(group, [*asked, "--dport", "22"], standalone_mode=False)
    (found,) = json.loads(ssh.stdout)["paths"]
    assert (found["stopped_at"], ssh.return_value) == ("groups_in", 1)


def test_what_aws_says_against_it_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    with pytest.raises(CloudError, match="AWS cannot be asked"):
        documents(REGION, "no-such-profile")


def test_documents_and_aws_itself_are_two_ways() -> None:
    result = CliRunner().invoke(group, ["path", "--dport", "443"], standalone_mode=False)
    assert "name documents with --aws" in str(result.exception)
