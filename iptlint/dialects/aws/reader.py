"""A document that tells of a network in AWS, as a cloud and as chains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network

from iptlint.dialects.aws import cloudformation, describe, terraform
from iptlint.dialects.aws.values import Notes
from iptlint.dialects.clouds import reading_of
from iptlint.dialects.detect import AWS_JSON, CLOUDFORMATION, TERRAFORM
from iptlint.dialects.document import yaml_tree
from iptlint.dialects.document.json_tree import JsonError, parse
from iptlint.dialects.document.node import Node, ShapeError
from iptlint.dialects.reading import Reading
from iptlint.model.cloud import Cloud
from iptlint.source import SourceFile

UNFILTERED = tuple(
    ip_network(address)
    for address in (
        *(f"169.254.169.{last}" for last in (123, 250, 251, 253, 254)),
        *(f"fd00:ec2::{last}" for last in (123, 240, 250, 253, 254)),
    )
)
"""Metadata, names, time and activation, which neither groups nor ACLs block (Amazon VPC User Guide,
"Security groups" and "Network ACL basics")."""


def read_json(source: SourceFile) -> Reading:
    """What the aws CLI printed, as JSON or as YAML."""
    return _read(source, AWS_JSON, _parser(source), describe.cloud_of)


def read_template(source: SourceFile) -> Reading:
    """A CloudFormation template, as JSON or as YAML."""
    return _read(source, CLOUDFORMATION, _parser(source), cloudformation.cloud_of)


def read_terraform(source: SourceFile) -> Reading:
    """What ``terraform show -json`` printed of a plan or a state."""
    return _read(source, TERRAFORM, parse, terraform.cloud_of)


def _parser(source: SourceFile) -> Callable[[SourceFile], Node]:
    return parse if source.text.lstrip().startswith("{") else yaml_tree.parse


def _read(
    source: SourceFile,
    dialect: str,
    parser: Callable[[SourceFile], Node],
    cloud_of: Callable[[Node, Notes], Cloud | None],
) -> Reading:
    notes, cloud = Notes(), Cloud()
    try:
        cloud = cloud_of(parser(source), notes) or cloud
    except JsonError as error:
        notes.diagnostics.append(error.diagnostic(source))
    except ShapeError as error:
        notes.report(error)
    return _reading(source, dialect, cloud, notes)


def _reading(source: SourceFile, dialect: str, cloud: Cloud, notes: Notes) -> Reading:
    unsaid = (*cloud.unsaid, *notes.unsaid)
    cloud = replace(cloud, unsaid=unsaid, unfiltered=UNFILTERED)
    return reading_of(source, dialect, cloud, notes.diagnostics)
