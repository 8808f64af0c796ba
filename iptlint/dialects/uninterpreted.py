"""Tests that are kept as one Boolean, spelled one way by all languages."""

from __future__ import annotations

import re

from iptlint.model import Opaque
from iptlint.model.matches import Asked, HostName

_HOST_NAME = re.compile(
    r"(?P<name>(?=[^/]*[A-Za-z])[A-Za-z0-9_](?:[\w.-]*\w)?)\.?(?:/\S+)?", re.ASCII
)


def uninterpreted(key: str, negated: bool = False, asks: Asked | None = None) -> Opaque:
    """The test that the key stands for; its first word is what asks: an extension of iptables,
    or a selector of nft that no extension asks for."""
    return Opaque(key, negated, kind=key.partition(" ")[0], asks=asks)


def host_name(text: str) -> HostName | None:
    """What stands where an address is wanted, if it is a name; a mask may stand behind it."""
    name = _HOST_NAME.fullmatch(text)
    return HostName(name["name"]) if name else None
