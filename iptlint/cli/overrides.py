"""What a configuration says of some files only, and how grave it takes a rule's findings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iptlint.cli import options
from iptlint.cli.configuration import Configuration, unknown

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    from iptlint.findings import Finding

KEY = "overrides"
SEVERITY = "severity"
_FILES = "files"
_SEVERITIES = ("error", "warning", "info")
_ONE_OF_THEM = f"one of {', '.join(map(repr, _SEVERITIES))}"


@dataclass(frozen=True, slots=True)
class Override:
    """``files``: patterns, from the directory of the configuration; empty: of every file."""

    folder: Path
    files: tuple[str, ...] = ()
    family: str | None = None
    ssh_ports: tuple[int, ...] = ()
    management_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    host_addresses: tuple[IPv4Network | IPv6Network, ...] = ()
    ipset: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, str] = field(default_factory=dict)

    def concerns(self, path: str) -> bool:
        """A pattern without a slash is about the name alone; ``*`` stands for slashes, too."""
        full = os.path.realpath(path)
        inside = os.path.relpath(full, os.path.realpath(self.folder)).replace(os.sep, "/")
        return not self.files or any(
            fnmatchcase(inside if "/" in pattern else Path(full).name, pattern)
            for pattern in self.files
        )


def _texts(found: Configuration, key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise found.refuse(key, f"{key} is a list of strings")
    return tuple(value)


def _ports(found: Configuration, key: str, value: Any) -> tuple[int, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(_read(found, key, options.port, str(item)) for item in items)


def _networks(found: Configuration, key: str, value: Any) -> tuple[Any, ...]:
    return tuple(_read(found, key, options.network, item) for item in _texts(found, key, value))


def _read(found: Configuration, key: str, read: Any, text: str) -> Any:
    try:
        return read(text)
    except ValueError as error:
        raise found.refuse(key, f"{key}: {error}") from None


def _ipsets(found: Configuration, key: str, value: Any) -> tuple[str, ...]:
    return tuple(found.path_in(key, each) for each in _texts(found, key, value))


def codes(found: Configuration, key: str, value: Any) -> tuple[str, ...]:
    return tuple(code for each in _texts(found, key, value) for code in _matching(found, key, each))


def _matching(found: Configuration, key: str, wanted: str) -> tuple[str, ...]:
    from iptlint.rules.registry import UnknownRuleError, codes_matching

    try:
        return codes_matching(wanted)
    except UnknownRuleError as error:
        raise found.refuse(key, f"{key}: {error}") from None


def _severities(found: Configuration, key: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise found.refuse(key, f"{key} is a table: a code or name = {_ONE_OF_THEM}")
    if wrong := [each for each in value.values() if each not in _SEVERITIES]:
        raise found.refuse(key, f"{key}: {wrong[0]!r} is not {_ONE_OF_THEM}")
    return {code: each for wanted, each in value.items() for code in _matching(found, key, wanted)}


def _family(found: Configuration, key: str, value: Any) -> str:
    if value not in ("ip", "ip6"):
        raise found.refuse(key, f"{key} is ip or ip6")
    return str(value)


_KEYS: Mapping[str, Callable[[Configuration, str, Any], Any]] = {
    _FILES: _texts,
    "family": _family,
    "ssh-ports": _ports,
    "management-networks": _networks,
    "host-addresses": _networks,
    "ipset": _ipsets,
    "ignore": codes,
    SEVERITY: _severities,
}


def read(found: Configuration) -> tuple[Override, ...]:
    """Those of a file, in order: a later one comes before an earlier one."""
    tables = found.table.get(KEY, [])
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        raise found.refuse(KEY, f"write [[{KEY}]] above each of them")
    folder = found.path.parent
    general = found.table.get(SEVERITY)
    base = (
        []
        if general is None
        else [Override(folder, severity=_severities(found, SEVERITY, general))]
    )
    return (*base, *(_override(found, folder, table) for table in tables))


def _override(found: Configuration, folder: Path, table: Mapping[str, Any]) -> Override:
    for key in table:
        if key not in _KEYS:
            raise found.refuse(key, unknown(key, _KEYS))
    if not table.get(_FILES):
        raise found.refuse(KEY, f"an override says which files it is for: {_FILES} = [...]")
    given: dict[str, Any] = {
        k.replace("-", "_"): _KEYS[k](found, k, value) for k, value in table.items()
    }
    return Override(folder, **given)


def of_files(overrides: Sequence[Override], paths: Iterable[str]) -> list[Override]:
    """Those that concern some of the files."""
    several = [*paths]
    return [each for each in overrides if any(map(each.concerns, several))]


def all_adjusted(overrides: Sequence[Override], findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those that are not to be ignored, as grave as is said."""
    each = (_adjusted(overrides, finding) for finding in findings)
    return tuple(finding for finding in each if finding is not None)


def _adjusted(overrides: Sequence[Override], finding: Finding) -> Finding | None:
    """The finding as grave as it is said to be; None where it is to be ignored."""
    from dataclasses import replace

    from iptlint.findings import Severity

    for override in overrides:
        if not override.concerns(finding.span.source.path):
            continue
        if finding.code in override.ignore:
            return None
        if (word := override.severity.get(finding.code)) is not None:
            finding = replace(finding, severity=Severity(word))
    return finding


SCHEMA: Mapping[str, Any] = {
    _FILES: {"type": "array", "items": {"type": "string"}, "minItems": 1},
    "family": {"enum": ["ip", "ip6"]},
    "ssh-ports": {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 65535}},
    "management-networks": {"type": "array", "items": {"type": "string"}},
    "host-addresses": {"type": "array", "items": {"type": "string"}},
    "ipset": {"type": "array", "items": {"type": "string"}},
    "ignore": {"type": "array", "items": {"type": "string"}},
    SEVERITY: {"type": "object", "additionalProperties": {"enum": [*_SEVERITIES]}},
}
