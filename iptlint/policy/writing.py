"""A test file made of rules as they stand: sentences that hold, in plain words, for somebody to
read and to strike out what was never meant.

Whatever is written has been judged: it passes on the host that it was made of.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import permutations

from iptlint.model import Family
from iptlint.policy.claims import speaks_of_forwarding
from iptlint.policy.found import Found, found_in
from iptlint.policy.hosts import PolicyHost
from iptlint.policy.judge import judge_one
from iptlint.policy.language import Names, read_sentence
from iptlint.policy.results import Status
from iptlint.policy.services import Part, Service, is_service
from iptlint.policy.tests import BOTH, PolicyFile, PolicyTest
from iptlint.policy.zones import BUILT_IN, INTERNET, Zone, likely_names
from iptlint.source import SourceFile

_OTHERS = "other-ports"
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")
_MOST_WAYS = 6
"""Interfaces, each pair of which is asked about."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A sentence in its parts. ``family``: the only one that it holds over. ``possible``: it holds
    as far as a limit or an unknown list lets it."""

    verb: str
    zones: tuple[str, ...]
    what: tuple[str, ...]
    target: str = ""
    family: Family | None = None
    possible: bool = False

    @property
    def sentence(self) -> str:
        over = f" over {self.family.value}" if self.family else ""
        what = f"{self.target} {', '.join(self.what)}".strip()
        return f"{self.verb} from {', '.join(self.zones)} to {what}{over}"

    @property
    def kind(self) -> tuple[object, ...]:
        return self.verb, self.target, self.family, self.possible


def _joined(lines: Iterable[_Line]) -> list[_Line]:
    """Those of the same zones as one, then those of the same services: no test is lost by it, for
    each zone and each service of a sentence is judged by itself."""
    by_zones: dict[object, list[_Line]] = {}
    for line in lines:
        by_zones.setdefault((line.zones, line.kind), []).append(line)
    joined = [
        replace(same[0], what=tuple(dict.fromkeys(w for each in same for w in each.what)))
        for same in by_zones.values()
    ]
    by_what: dict[object, list[_Line]] = {}
    for line in joined:
        alone = line.zones if line.verb == "only" else ()  # two of them would let in each other's
        key = (line.what, alone, line.kind)
        by_what.setdefault(key, []).append(line)
    return [
        replace(same[0], zones=tuple(dict.fromkeys(z for each in same for z in each.zones)))
        for same in by_what.values()
    ]


def written_tests(host: PolicyHost) -> str:
    """The text of a test file, all of whose tests pass on the host."""
    return _Writer(host).text()


class _Writer:
    def __init__(self, host: PolicyHost) -> None:
        self.host = host
        self.families = tuple(f for f in BOTH if host.firewalls(f) or host.is_open(f))
        named = found_in([host])
        self.zones = dict(self._zones(named))
        self.services = dict(self._services(named))
        known = {service.name: service for service in self.services.values()}
        self.names = Names({zone.name: zone for zone in self.zones.values()}, known)
        source = SourceFile("written", "")
        self.policy = PolicyFile(source, (), families=self.families)

    # -- zones and services, with names that a sentence may use -----------------------------------

    def _zones(self, found: Found) -> Iterator[tuple[str, Zone]]:
        """By the word of a sentence: a network is its own word."""
        interfaces = {
            name
            for family in self.families
            for hooks in self.host.firewalls(family)
            for name in likely_names(hooks)
        }
        yield INTERNET.name, replace(INTERNET, interfaces=tuple(sorted(interfaces)))
        for zone in found.zones:
            if zone.interfaces:
                name = _NOT_IN_NAMES.sub("-", zone.name.replace("*", "-any")).strip("-.")
                name = name if name[:1].isalpha() else f"if-{name}"
                if name.lower() in BUILT_IN or is_service(name.lower()):
                    name = f"{name}-net"
                yield name, replace(zone, name=name)
            elif zone.kind is not INTERNET.kind:
                yield zone.name, zone

    def _services(self, found: Found) -> Iterator[tuple[str, Service]]:
        """By the words of a sentence, or a name of their own where they are many."""
        for service in found.services:
            if len(service.parts) == 1 and len(service.parts[0].ports) <= 1:
                yield _word(service.parts[0]), service
            elif service.parts:
                yield _OTHERS, Service(_OTHERS, service.parts)

    # -- sentences --------------------------------------------------------------------------------

    def text(self) -> str:
        lines = _joined([*self._to_host(), *self._through(), *self._from_host()])
        plain = [line.sentence for line in lines if not line.possible]
        shown = "".join(f"  {json.dumps(sentence)},\n" for sentence in dict.fromkeys(plain))
        parts = [_HEAD.format(" ".join(self.host.name.split()))]
        if self.families != BOTH:
            parts.append(f"families = {json.dumps([f.value for f in self.families])}\n")
        parts.append(f"tests = [\n{shown}]\n")
        parts += [self._zones_table(), self._services_table()]
        possible = dict.fromkeys(line.sentence for line in lines if line.possible)
        parts += (_POSSIBLE.format(json.dumps(sentence)) for sentence in possible)
        return "\n".join(part for part in parts if part)

    def _to_host(self) -> Iterator[_Line]:
        for word in self.services:
            yield from self._to_service(word)

    def _to_service(self, service: str) -> Iterator[_Line]:
        everyone = _Line("allow", ("anyone",), (service,))
        if self._holds(everyone):
            yield everyone
            return
        each = {zone: _Line("allow", (zone,), (service,)) for zone in self.zones}
        allowed = tuple(zone for zone, line in each.items() if self._holds(line))
        only = _Line("only", allowed, (service,))
        if allowed and self._holds(only):
            yield only
            return
        for line in each.values():
            yield from self._holding(line, possible=True)
            yield from self._holding(replace(line, verb="deny"))

    def _through(self) -> Iterator[_Line]:
        """Between interfaces that rules name, and from the internet."""
        forwards = (
            speaks_of_forwarding(hooks) for f in self.families for hooks in self.host.firewalls(f)
        )
        if not any(forwards):
            return
        named = [word for word, zone in self.zones.items() if zone.interfaces][:_MOST_WAYS]
        for one, other in permutations(named, 2):
            yield from self._holding(_Line("deny", (one,), ("any",), other))
            yield from self._holding(_Line("allow", (one,), ("any",), other))

    def _from_host(self) -> Iterator[_Line]:
        yield from self._holding(_Line("allow", ("host",), ("any",), "anyone"))

    # -- what holds -------------------------------------------------------------------------------

    def _holds(self, line: _Line) -> bool:
        return all(status is Status.HOLDS for status in self._statuses(line).values())

    def _holding(self, line: _Line, *, possible: bool = False) -> Iterator[_Line]:
        """The sentence, for the families over which it holds; ``possible``: or may hold."""
        statuses = self._statuses(line)
        holding = [family for family, status in statuses.items() if status is Status.HOLDS]
        if holding and len(holding) == len(statuses):
            yield line
        else:
            yield from (replace(line, family=family) for family in holding)
        open_ = [family for family, status in statuses.items() if status is Status.POSSIBLE]
        if possible:
            yield from (replace(line, family=family, possible=True) for family in open_)

    def _statuses(self, line: _Line) -> dict[Family, Status]:
        source = SourceFile("written", line.sentence)
        test = replace(self._read(source), families=self.families)
        results = [*judge_one(self.policy, test, self.host)]
        order = (Status.UNPROVED, Status.FAILS, Status.POSSIBLE, Status.HOLDS)
        statuses: dict[Family, Status] = {}
        for result in results:
            if result.family is not None:
                before = statuses.get(result.family, Status.HOLDS)
                statuses[result.family] = min(before, result.status, key=order.index)
        return statuses or {Family.IP: Status.UNPROVED}

    def _read(self, source: SourceFile) -> PolicyTest:
        return read_sentence(source.line_span(1), self.names)

    # -- tables -----------------------------------------------------------------------------------

    def _zones_table(self) -> str:
        lines = [
            f"{zone.name} = {{ interfaces = {json.dumps([*zone.interfaces])} }}\n"
            for zone in self.zones.values()
            if zone.interfaces
        ]
        return "[zones]\n" + "".join(lines) if lines else ""

    def _services_table(self) -> str:
        others = self.services.get(_OTHERS)
        if others is None:
            return ""
        words = [
            _word(replace(part, ports=(each,))) for part in others.parts for each in part.ports
        ]
        return f"[services]\n{_OTHERS} = {json.dumps(words)}\n"


_HEAD = """\
# What the rules do as they stand, made by `iptlint test --write` of
# {}
# Each line holds: strike out what was never meant.
"""
_POSSIBLE = """\
[[test]]
that = {}
allow-possible = true  # a limit, or a list that is not known, decides
"""


def _word(part: Part) -> str:
    """As a sentence has it: with the protocol."""
    return part.text
