"""Which interfaces face the world, by what a text calls the variables that it keeps them in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

_ROLES = {
    True: r"WAN|EXT(?:ERN(?:AL)?)?|INET|INTERNET|PUB(?:LIC)?|OUTSIDE|UPLINK|WORLD|RED",
    False: r"LAN|INT(?:ERN(?:AL)?)?|INSIDE|PRIV(?:ATE)?|LOCAL|DMZ|GREEN|HOME|TRUSTED|MGMT",
}
_INTERFACE = r"IF|IFS|IFACES?|NICS?|DEVS?|ETH|INTERFACES?|CARD"
_BY_ROLE = {
    faces: re.compile(
        rf"(?:{roles})[_\d]*(?:{_INTERFACE})[_\d]*|(?:{_INTERFACE})_*(?:{roles})[_\d]*|(?:{roles})[_\d]*"
    )
    for faces, roles in _ROLES.items()
}
_NAME = re.compile(
    r"(?:eth|en[opsx]|em|wl|ww|ppp|br|bond|tun|tap|wg|vlan|lan|wan|usb|p\d+p)[\w.:-]*"
)


def facing(variables: Mapping[str, str | Sequence[str]]) -> dict[str, bool]:
    """Of interfaces by name, whether the world is behind them; empty unless it is behind one. What
    has both roles has none."""
    roles: dict[str, set[bool]] = {}
    for variable, value in variables.items():
        for faces, pattern in _BY_ROLE.items():
            if pattern.fullmatch(variable.upper().strip("_")):
                for name in _interfaces(value):
                    roles.setdefault(name, set()).add(faces)
    known = {name: faces.pop() for name, faces in roles.items() if len(faces) == 1}
    return known if any(known.values()) else {}


def _interfaces(value: str | Sequence[str]) -> Iterator[str]:
    words = value.split() if isinstance(value, str) else value
    return (word for word in words if _NAME.fullmatch(word))
