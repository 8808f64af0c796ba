"""``iptlint.tests.toml``: zones, services and tests, read with an error at its place for whatever
cannot be meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import Any

from iptlint.model import Family
from iptlint.model.names import LONGEST_INTERFACE
from iptlint.policy.language import Names, SentenceError, near, read_sentence
from iptlint.policy.services import Service, ServiceError, service, services_as_one
from iptlint.policy.tests import BOTH, WAYS, PolicyError, PolicyFile, PolicyTest, Problem
from iptlint.policy.toml_places import Path, Places, places
from iptlint.policy.toml_text import toml_of
from iptlint.policy.zones import BUILT_IN, INTERNET, Network, Zone, ZoneKind
from iptlint.source import SourceFile, Span

NAME = "iptlint.tests.toml"

_TOP = ("tests", "test", "zones", "services", "families", "ways")
_ZONE = ("networks", "interfaces", "except", "file")
_TEST = ("that", "note", "way", "families", "allow-possible", "hosts")
_WAYS = {way.value: way for way in WAYS}
_FAMILIES = {family.value: family for family in BOTH}
_NAME = re.compile(r"[A-Za-z_][\w.-]*")
_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)|\(at end of document\)")

ReadList = Callable[[str], SourceFile]
"""The text of a file with networks, by the path as it is written; OSError or ValueError where
there is none."""


def no_lists(path: str) -> SourceFile:
    raise ValueError("no other file is read here")


def read_tests(
    text: str, path: str = NAME, read_list: ReadList = no_lists, *, needs_tests: bool = True
) -> PolicyFile:
    """PolicyError where it cannot be meant as it is written, with all that is wrong;
    ``needs_tests``: a file without any is wrong, too."""
    source = SourceFile(path, text)
    try:
        document = toml_of(text.replace("\r\n", "\n"))
    except (ValueError, RecursionError) as error:  # also of a number that is too long for Python
        raise PolicyError([_not_toml(source, error)]) from None
    reader = _Reader(document, places(source), read_list, needs_tests)
    tests = reader.read()
    if reader.problems:
        raise PolicyError(sorted(reader.problems, key=lambda each: each.span.start))
    return tests


def _not_toml(source: SourceFile, error: Exception) -> Problem:
    said = str(error)
    match = _PLACE.search(said)
    reason = _PLACE.sub("", said).strip() or "it is nested too deeply"
    line = min(int(match[1]), len(source.line_starts)) if match and match[1] else 1
    start = source.line_starts[line - 1] + (int(match[2]) - 1 if match and match[2] else 0)
    at = min(start, len(source.text))
    return Problem(Span(source, at, at), f"this is not TOML: {reason[:1].lower()}{reason[1:]}")


@dataclass(slots=True)
class _Reader:
    document: Mapping[str, Any]
    places: Places
    read_list: ReadList
    needs_tests: bool
    problems: list[Problem] = field(default_factory=list)

    def read(self) -> PolicyFile:
        self._known_keys((), self.document, _TOP)
        zones = dict(self._zones())
        services = dict(self._services())
        for name in zones.keys() & services.keys():
            self._say(("services", name), f"{name!r} is a zone, too; call one of them otherwise")
        names = Names(zones, services)
        families = self._choices(("families",), self.document, _FAMILIES) or BOTH
        ways = self._choices(("ways",), self.document, _WAYS) or WAYS
        tests = tuple(self._tests(names, tuple(families)))
        if self.needs_tests and not tests and not self.problems:
            self._say((), 'there is no test in it; write tests = ["deny from internet to 5432"]')
        return PolicyFile(self.places.source, tests, zones, services, tuple(families), tuple(ways))

    # -- what is wrong ------------------------------------------------------------------------

    def _say(self, path: Path, message: str, *, key: bool = False) -> None:
        span = self.places.key(path) if key else self.places.value(path)
        self.problems.append(Problem(span, message))

    def _known_keys(self, path: Path, table: Mapping[str, Any], known: Sequence[str]) -> None:
        for name in table:
            if name not in known:
                where = f" in {_shown(path)}" if path else ""
                hint = near(name, known) or f"; there are {', '.join(known)}"
                self._say((*path, name), f"there is no key {name!r}{where}{hint}", key=True)

    def _strings(self, path: Path, value: Any) -> list[tuple[Path, str]]:
        """A list of strings, or one alone, each with its place."""
        if isinstance(value, str):
            return [(path, value)]
        if not isinstance(value, list):
            self._say(path, f"{_shown(path)} is a list of strings, not {_kind(value)}")
            return []
        for number, each in enumerate(value):
            if not isinstance(each, str):
                self._say((*path, number), f"this is a string in quotes, not {_kind(each)}")
        return [((*path, n), each) for n, each in enumerate(value) if isinstance(each, str)]

    def _choices(self, path: Path, table: Mapping[str, Any], known: Mapping[str, Any]) -> list[Any]:
        if path[-1] not in table:
            return []
        chosen = []
        for place, word in self._strings(path, table[str(path[-1])]):
            if word in known:
                chosen.append(known[word])
            else:
                hint = near(word, known) or f"; there are {', '.join(known)}"
                self._say(place, f"{word!r} is none{hint}")
        return chosen

    def _table(self, path: Path) -> Mapping[str, Any]:
        value = self.document.get(str(path[0]), {})
        if isinstance(value, dict):
            return value
        self._say(path, f"{_shown(path)} is a table, [{path[0]}], not {_kind(value)}")
        return {}

    # -- zones --------------------------------------------------------------------------------

    def _zones(self) -> Iterator[tuple[str, Zone]]:
        for name, value in self._table(("zones",)).items():
            path: Path = ("zones", name)
            if not _NAME.fullmatch(name):
                said = f"{name!r} is no name: letters, digits, _, - and . after a letter"
                self._say(path, said, key=True)
            elif name.lower() in BUILT_IN and name != INTERNET.name:
                self._say(path, f"{name!r} always means the same; call yours otherwise", key=True)
            else:
                yield name, self._zone(path, name, value)

    def _zone(self, path: Path, name: str, value: Any) -> Zone:
        table = value if isinstance(value, dict) else {"networks": value}
        self._known_keys(path, table, _ZONE)
        where = path if not isinstance(value, dict) else (*path, "networks")
        networks = [*self._networks(where, table.get("networks", []))]
        if "file" in table:
            networks += self._listed((*path, "file"), table["file"])
        interfaces = [*self._interfaces((*path, "interfaces"), table.get("interfaces", []))]
        but = [*self._networks((*path, "except"), table.get("except", []))]
        zone = Zone(name, BUILT_IN.get(name, ZoneKind.GIVEN), tuple(networks), tuple(but))
        if name != INTERNET.name and not networks and not interfaces and not self.problems:
            self._say(path, f"nobody is in the zone {name}: it has no networks and no interfaces")
        return replace(zone, interfaces=tuple(interfaces))

    def _networks(self, path: Path, value: Any) -> Iterator[Network]:
        for place, text in self._strings(path, value):
            network = self._network(text, self.places.value(place))
            if network is not None:
                yield network

    def _network(self, text: str, span: Span) -> Network | None:
        try:
            return ip_network(text)
        except ValueError:
            pass
        try:
            wide = ip_network(text, strict=False)
        except ValueError:
            said = f"{text!r} is not a network such as 10.0.0.0/8 or fd00::/8"
        else:
            said = f"{text!r} has host bits set (did you mean {wide}?)"
        self.problems.append(Problem(span, said))
        return None

    def _interfaces(self, path: Path, value: Any) -> Iterator[str]:
        for place, name in self._strings(path, value):
            plain = name.removesuffix("*").removesuffix("+")
            if not plain or len(plain) > LONGEST_INTERFACE or re.search(r"[\s/*+]", plain):
                self._say(place, f"{name!r} is no name of an interface, such as eth0 or wlan*")
            else:
                yield name

    def _listed(self, path: Path, value: Any) -> Iterator[Network]:
        """Networks of a file, a line each; what is behind # is a remark."""
        for place, written in self._strings(path, value):
            try:
                source = self.read_list(written)
            except (OSError, ValueError) as error:
                said = getattr(error, "strerror", None) or error
                self._say(place, f"{written}: {said}")
                continue
            for line in range(1, len(source.line_starts) + 1):
                word = source.line_text(line).partition("#")[0].strip()
                if word and (network := self._network(word, source.line_span(line))):
                    yield network

    # -- services -----------------------------------------------------------------------------

    def _services(self) -> Iterator[tuple[str, Service]]:
        for name, value in self._table(("services",)).items():
            path: Path = ("services", name)
            if not _NAME.fullmatch(name):
                said = f"{name!r} is no name: letters, digits, _, - and . after a letter"
                self._say(path, said, key=True)
                continue
            items = value if isinstance(value, list) else [value]
            parts = [
                self._service((*path, n) if isinstance(value, list) else path, item)
                for n, item in enumerate(items)
            ]
            known = tuple(each for each in parts if each is not None)
            if known:
                yield name, replace(services_as_one(known), name=name)
            elif not items:
                self._say(path, f"the service {name} is nothing; write ports as 22 or 53/udp")

    def _service(self, path: Path, item: Any) -> Service | None:
        if isinstance(item, bool) or not isinstance(item, int | str):
            self._say(path, f"a service is a port or a string as 53/udp, not {_kind(item)}")
            return None
        try:
            return service(str(item).strip().lower())
        except ServiceError as error:
            self._say(path, str(error))
            return None

    # -- tests --------------------------------------------------------------------------------

    def _tests(self, names: Names, families: tuple[Family, ...]) -> Iterator[PolicyTest]:
        sentences = self._strings(("tests",), self.document.get("tests", []))
        for path, text in sentences:
            if test := self._test(path, text, names):
                yield _over(test, families)
        listed = self.document.get("test", [])
        if not isinstance(listed, list):
            self._say(("test",), "tests are written below [[test]], with two brackets")
            return
        for number, table in enumerate(listed):
            if test := self._long_test(("test", number), table, names):
                yield _over(test, families)

    def _test(self, path: Path, text: str, names: Names) -> PolicyTest | None:
        span = self.places.value(path)
        if " ".join(span.text.split()) != " ".join(text.split()):
            self._say(path, "write the sentence in plain quotes, without a backslash in it")
            return None
        try:
            return read_sentence(span, names)
        except SentenceError as error:
            self.problems.append(error.problem)
            return None

    def _long_test(self, path: Path, table: Any, names: Names) -> PolicyTest | None:
        if not isinstance(table, dict):
            self._say(path, "tests are written below [[test]], or as strings in tests = [ … ]")
            return None
        self._known_keys(path, table, _TEST)
        if not isinstance(table.get("that"), str):
            self._say(path, 'a test says what: that = "deny from internet to 5432"')
            return None
        test = self._test((*path, "that"), table["that"], names)
        if test is None:
            return None
        if not isinstance(table.get("allow-possible", False), bool):
            self._say((*path, "allow-possible"), "allow-possible is true or false")
        ways = self._choices((*path, "way"), table, _WAYS)
        families = self._choices((*path, "families"), table, _FAMILIES)
        return replace(
            test,
            way=ways[0] if ways else test.way,
            families=tuple(families) or test.families,
            allow_possible=table.get("allow-possible") is True,
            hosts=tuple(t for _, t in self._strings((*path, "hosts"), table.get("hosts", []))),
            note=str(table.get("note", "")),
        )


def _over(test: PolicyTest, families: tuple[Family, ...]) -> PolicyTest:
    """For no family but those of the file, unless it names its own."""
    if test.families != BOTH:
        return test
    return replace(test, families=families)


def _shown(path: Path) -> str:
    return ".".join(str(part) for part in path if isinstance(part, str))


def _kind(value: Any) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", str: "a string"}
    return {**names, dict: "a table", list: "a list"}.get(type(value), "a date")
