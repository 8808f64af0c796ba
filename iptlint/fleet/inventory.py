"""A list of hosts: one a line, or the INI files of Ansible with their groups."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from iptlint.model.numbers import decimal

_SECTION = re.compile(r"\[([^\]]+)\]")
_RANGE = re.compile(r"\[(\w+):(\w+)(?::(\d+))?\]")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:%-]*")
_MOST = 100_000
"""Hosts of a list; a range of more is a mistake."""

USED = ("ansible_host", "ansible_user", "ansible_port")
UNGROUPED = "ungrouped"


class InventoryError(Exception):
    """A line that cannot be understood; the text is a sentence that begins with its number."""


@dataclass(frozen=True, slots=True)
class Target:
    """``destination`` is what ssh is told; ``groups``: all that hold the host."""

    name: str
    destination: str
    port: int | None = None
    groups: tuple[str, ...] = ()

    def fits(self, patterns: Sequence[str]) -> bool:
        words = (self.name, *self.groups)
        return not patterns or any(fnmatchcase(w, p) for w in words for p in patterns)


@dataclass(slots=True)
class _List:
    """``members``, ``children`` and ``variables`` of groups, and the ``hosts`` with theirs."""

    hosts: dict[str, dict[str, str]] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    children: dict[str, list[str]] = field(default_factory=dict)
    variables: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(self, group: str, kind: str, line: str) -> None:
        words = shlex.split(line, comments=True)
        if not words:
            return
        if kind == "children":
            self.children.setdefault(group, []).append(words[0])
        elif kind == "vars":
            name, _, value = line.partition("=")
            self.variables.setdefault(group, {})[name.strip()] = value.strip().strip("'\"")
        else:
            variables = dict(_variable(word) for word in words[1:])
            for name in _expanded(words[0]):
                self.hosts.setdefault(name, {}).update(variables)
                self.members.setdefault(group, []).append(name)
                if len(self.hosts) > _MOST:
                    raise ValueError(f"that is more than {_MOST} hosts")

    def groups(self) -> dict[str, list[str]]:
        """Of each host, the innermost first; ``all`` holds every host."""
        groups_of: dict[str, list[str]] = {name: [] for name in self.hosts}
        for group, names in self.members.items():
            for name in dict.fromkeys(names):
                groups_of[name].append(group)
        return {name: [*self._with_parents(groups), "all"] for name, groups in groups_of.items()}

    def _with_parents(self, groups: list[str]) -> list[str]:
        for group in groups:  # which grows
            parents = (p for p, children in self.children.items() if group in children)
            groups += (parent for parent in parents if parent not in groups)
        return groups


def _variable(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals:
        raise ValueError(f"{word!r} is no name=value; one host stands in a line")
    return name, value


def _expanded(word: str) -> Iterator[str]:
    """``web[01:12].example.com`` is twelve hosts."""
    match = _RANGE.search(word)
    if match is None:
        if not _NAME.fullmatch(word):
            raise ValueError(f"{word!r} is no name of a host")
        yield word
        return
    for middle in _between(match[1], match[2], decimal(match[3] or "1") or 1):
        yield from _expanded(f"{word[: match.start()]}{middle}{word[match.end() :]}")


def _between(first: str, last: str, step: int) -> Iterator[str]:
    low, high = decimal(first), decimal(last)
    if low is not None and high is not None:
        if not 0 <= high - low <= _MOST:
            raise ValueError(f"[{first}:{last}] is no range of hosts")
        yield from (f"{number:0{len(first)}}" for number in range(low, high + 1, step))
    elif len(first) == len(last) == 1 and first <= last:
        yield from (chr(number) for number in range(ord(first), ord(last) + 1, step))
    else:
        raise ValueError(f"[{first}:{last}] is no range of hosts")


def targets(text: str) -> tuple[list[Target], tuple[str, ...]]:
    """The hosts in their order, each once, and the variables of the list that say how to connect
    and are not used here. InventoryError where a line cannot be understood."""
    listed = _List()
    group, kind = UNGROUPED, ""
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if not bare or bare.startswith(("#", ";")):
            continue
        section = _SECTION.fullmatch(bare)
        try:
            if section is not None:
                group, _, kind = section[1].partition(":")
                if kind not in ("", "vars", "children"):
                    raise ValueError(f"[{section[1]}] is no group, group:vars or group:children")
            else:
                listed.add(group, kind, bare)
        except ValueError as error:
            raise InventoryError(f"{number}: {error}") from None
    groups = listed.groups()
    listed_targets = [_target(listed, name, groups[name]) for name in listed.hosts]
    return listed_targets, tuple(sorted({*_unused(listed)}))


def _target(listed: _List, name: str, groups: Sequence[str]) -> Target:
    """What is said of the host itself comes before what its groups say, the innermost first."""
    said = dict[str, str]()
    for group in reversed(groups):
        said |= listed.variables.get(group, {})
    said |= listed.hosts[name]
    host, user = said.get("ansible_host", name), said.get("ansible_user", "")
    port = decimal(said.get("ansible_port", "")) or None
    return Target(name, f"{user}@{host}" if user else host, port, tuple(groups))


def _unused(listed: _List) -> Iterator[str]:
    every: list[Mapping[str, str]] = [*listed.hosts.values(), *listed.variables.values()]
    for variables in every:
        yield from (v for v in variables if v.startswith("ansible_") and v not in USED)
