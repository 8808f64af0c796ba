"""Asks AWS's API for what the aws CLI would print; it only reads.

With the credentials that the aws CLI would take, of the user's own. Each answer is a document like
those of the CLI, so that whatever is said of it has a line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from iptlint.source import SourceFile

CALLS = (
    ("describe_security_groups", "SecurityGroups"),
    ("describe_network_acls", "NetworkAcls"),
    ("describe_subnets", "Subnets"),
    ("describe_route_tables", "RouteTables"),
    ("describe_network_interfaces", "NetworkInterfaces"),
    ("describe_instances", "Reservations"),
    ("describe_managed_prefix_lists", "PrefixLists"),
)
"""What is called, and the key of the list in the answer."""

_ENTRIES = "get_managed_prefix_list_entries"


class CloudError(Exception):
    """The API cannot be asked; a sentence."""


def documents(region: str | None = None, profile: str | None = None) -> list[SourceFile]:
    """One for each call, and one for each prefix list. CloudError where that fails."""
    client = _client(region, profile)
    try:
        return [*_documents(client)]
    except Exception as error:  # botocore has dozens, most without a common class
        raise CloudError(f"AWS does not answer: {error}") from None


def _client(region: str | None, profile: str | None) -> Any:
    try:
        import boto3
    except ImportError:
        text = "AWS is asked by boto3, which is not installed: pip install 'iptlint[aws]'"
        raise CloudError(text) from None
    try:
        return boto3.Session(profile_name=profile, region_name=region).client("ec2")
    except Exception as error:
        raise CloudError(f"AWS cannot be asked: {error}") from None


def _documents(client: Any) -> Iterator[SourceFile]:
    lists: list[dict[str, Any]] = []
    for call, key in CALLS:
        listed = _all(client, call, key)
        lists = listed if key == "PrefixLists" else lists
        yield _document(call, key, listed)
    for each in lists:
        name = each["PrefixListId"]
        entries = _all(client, _ENTRIES, "Entries", PrefixListId=name)
        yield _document(_ENTRIES, "Entries", entries, name)


def _all(client: Any, call: str, key: str, **more: str) -> list[dict[str, Any]]:
    pages = client.get_paginator(call).paginate(**more)
    return [each for page in pages for each in page.get(key, [])]


def _document(call: str, key: str, listed: list[dict[str, Any]], about: str = "") -> SourceFile:
    name = f"aws ec2 {call.replace('_', '-')} {about}".rstrip()
    return SourceFile(name, json.dumps({key: listed}, indent=4, default=str))
