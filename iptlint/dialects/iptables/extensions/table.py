"""The table of matches and targets, and how a name finds its row.

A name may have a row per family (``ah``, ``REJECT``). Rules about where a row
may stand are in the row; the protocols one needs are in ``needs``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.dialects.iptables.extensions import matches, targets
from iptlint.dialects.iptables.extensions.addresses import protocol
from iptlint.dialects.iptables.extensions.registries import PROTOCOLS
from iptlint.dialects.iptables.extensions.row import Extension
from iptlint.dialects.iptables.parsing.base_options import CORE
from iptlint.model import Family

__all__ = ["CORE", "MATCHES", "TARGETS", "find_match", "find_target", "protocol_match"]


def _by_name(rows: Iterable[Extension]) -> dict[tuple[str, Family], Extension]:
    return {
        (name, family): row
        for row in rows
        for family in row.families
        for name in (row.name, *row.aliases)
    }


_MATCHES = _by_name(matches.ROWS)
_TARGETS = _by_name(targets.ROWS)

MATCHES: Mapping[str, Extension] = {row.name: row for row in matches.ROWS}
TARGETS: Mapping[str, Extension] = {row.name: row for row in targets.ROWS}
"""By name; where a name has a row per family, the last. ``find_…`` is exact."""


def find_match(name: str, family: Family) -> Extension | None:
    return _MATCHES.get((name, family))


def find_target(name: str, family: Family) -> Extension | None:
    return _TARGETS.get((name, family))


PROTOCOL_OF_MATCH = {
    **{name: name for name in ("tcp", "udp", "sctp", "dccp", "icmp", "esp", "ah", "ipcomp", "mh")},
    "icmp6": "ipv6-icmp",
}
"""Matches that ``-p`` loads by itself, and the protocol."""

_BY_ITS_NAME = ("mh",)
"""Those that are loaded by the match's own name and by no other name or number of the protocol:
/etc/protocols calls 135 mobility-header."""

_BY_PROTOCOL = {PROTOCOLS[word]: match for match, word in PROTOCOL_OF_MATCH.items()}


def protocol_match(protocol_word: str, family: Family) -> Extension | None:
    """The match that ``-p X`` loads where an option is met that nothing else has."""
    try:
        number = protocol(protocol_word, family)
    except InvalidValueError:
        return None
    match = _BY_PROTOCOL.get(number, "")
    return None if match in _BY_ITS_NAME and protocol_word != match else find_match(match, family)
