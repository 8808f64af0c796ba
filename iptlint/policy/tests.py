"""A policy test: one sentence of who may reach what, or may not."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from iptlint.model import Family, Hook
from iptlint.policy.services import ANY, Service
from iptlint.policy.zones import ANYONE, Zone
from iptlint.source import SourceFile, Span


class Verb(Enum):
    """What a sentence claims."""

    DENY = "deny"
    ALLOW = "allow"
    ONLY = "only"
    ISOLATED = "isolated"
    SAME = "same"


BOTH = (Family.IP, Family.IP6)
WAYS = (Hook.INPUT, Hook.FORWARD, Hook.OUTPUT)


@dataclass(frozen=True, slots=True)
class PolicyTest:
    """``target``: where packets are sent; None where it is not said. ``zones``: those that are
    isolated from each other. ``other``: the file that another is the same as. ``way``: the only one
    that is meant. ``families``: those that it is proved for. ``allow_possible``: what only a limit
    or something unknown decides is no failure. ``hosts``: patterns of the names of hosts that it
    is for; empty for all. ``note``: why somebody wants it so."""

    span: Span
    verb: Verb
    source: Zone = ANYONE
    target: Zone | None = None
    service: Service = ANY
    zones: tuple[Zone, ...] = ()
    other: str = ""
    way: Hook | None = None
    families: tuple[Family, ...] = BOTH
    allow_possible: bool = False
    hosts: tuple[str, ...] = ()
    note: str = ""

    @property
    def sentence(self) -> str:
        """On one line, as it is written."""
        return " ".join(self.span.text.split())


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """What a test file says. ``ways``: those that the host has at all."""

    source: SourceFile
    tests: tuple[PolicyTest, ...]
    zones: dict[str, Zone] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    families: tuple[Family, ...] = BOTH
    ways: tuple[Hook, ...] = WAYS


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a test file, and where."""

    span: Span
    message: str

    def __str__(self) -> str:
        return f"{self.span.source.path}:{self.span.line}:{self.span.column}: {self.message}"


class PolicyError(ValueError):
    """A test file that cannot be meant as it is written; all that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = tuple(problems)
