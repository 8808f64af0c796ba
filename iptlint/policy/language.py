"""The sentences of policy tests, read word by word.

deny from internet to 5432            isolated dmz lan
allow from office, vpn to ssh         same as rules.v6
only from bastion to host 22          allow from lan to internet any on forward
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import TypeVar

from iptlint.model import Family, Hook
from iptlint.policy import services
from iptlint.policy.services import ANY, Service, ServiceError
from iptlint.policy.tests import PolicyTest, Problem, Verb
from iptlint.policy.zones import BUILT_IN, Zone, together
from iptlint.source import Span

_Named = TypeVar("_Named")

_WORD = re.compile(r"[^\s,]+|,")
_SEPARATORS = ("or", "and", ",")
_WAYS = {hook.value: hook for hook in (Hook.INPUT, Hook.FORWARD, Hook.OUTPUT)}
_WAYS |= {"forwarded": Hook.FORWARD}
_FAMILIES = {
    "ip": Family.IP,
    "ipv4": Family.IP,
    "ip4": Family.IP,
    "ip6": Family.IP6,
    "ipv6": Family.IP6,
}
_QUALIFIERS: Mapping[str, Mapping[str, Hook | Family]] = {"on": _WAYS, "over": _FAMILIES}
_USAGE = {
    Verb.DENY: "deny from ZONE to SERVICE",
    Verb.ALLOW: "allow from ZONE to SERVICE",
    Verb.ONLY: "only from ZONE to SERVICE",
    Verb.ISOLATED: "isolated ZONE ZONE",
    Verb.SAME: "same as FILE",
}


@dataclass(frozen=True, slots=True)
class Names:
    """What a test file calls zones and services."""

    zones: Mapping[str, Zone]
    services: Mapping[str, Service]

    def all_zones(self) -> tuple[str, ...]:
        return (*self.zones, *BUILT_IN)

    def all_services(self) -> tuple[str, ...]:
        return (*self.services, *services.known_names())


class SentenceError(ValueError):
    """A sentence that says nothing; where, and why."""

    def __init__(self, span: Span, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(span, message)


def near(word: str, known: Iterable[str]) -> str:
    """`` (did you mean ssh?)``, or nothing."""
    close = difflib.get_close_matches(word, [*known], n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def read_sentence(span: Span, names: Names) -> PolicyTest:
    """The test that the text of the span is; SentenceError where it is none."""
    return _Sentence(span, names).test()


def read_zone(span: Span, names: Names) -> Zone:
    """The zone that is named; SentenceError where there is none."""
    return _Sentence(span, names).zone()


class _Sentence:
    def __init__(self, span: Span, names: Names) -> None:
        self.span = span
        self.names = names
        words = _WORD.finditer(span.text)
        self.words = [
            Span(span.source, span.start + word.start(), span.start + word.end()) for word in words
        ]
        self.at = 0

    def test(self) -> PolicyTest:
        if not self.words:
            raise SentenceError(self.span, f"this says nothing; write {_USAGE[Verb.DENY]}")
        word = self._next("a test")
        verbs = {verb.value: verb for verb in Verb}
        if word.text.lower() not in verbs:
            hint = near(word.text.lower(), verbs) or f"; they begin with {', '.join(verbs)}"
            raise SentenceError(word, f"no test begins with {word.text!r}{hint}")
        verb = verbs[word.text.lower()]
        match verb:
            case Verb.SAME:
                return self._same()
            case Verb.ISOLATED:
                return self._isolated()
            case _:
                return self._between(verb)

    def zone(self) -> Zone:
        return self._zone(self._next("a zone"))

    # -- the kinds of sentences ---------------------------------------------------------------

    def _same(self) -> PolicyTest:
        self._expect("as", Verb.SAME)
        first = self._next("the file that it is the same as")
        path = self.span.source.text[first.start : self.span.end].strip()
        return PolicyTest(self.span, Verb.SAME, other=path)

    def _isolated(self) -> PolicyTest:
        zones: list[Zone] = []
        while self._peek() not in ("", "on", "over"):
            word = self._next("a zone")
            if word.text.lower() not in (*_SEPARATORS, "from"):
                zones.append(self._zone(word))
        if len(zones) < 2:
            raise SentenceError(self.span, f"name two zones or more: {_USAGE[Verb.ISOLATED]}")
        return self._qualified(PolicyTest(self.span, Verb.ISOLATED, zones=tuple(zones)))

    def _between(self, verb: Verb) -> PolicyTest:
        self._expect("from", verb)
        sources = self._several(self._zone, "a zone")
        self._expect("to", verb)
        targets: list[Zone] = []
        while self._peek() and self._is_zone(self.words[self.at].text):
            targets += self._several(self._zone, "a zone")
        asked: tuple[Service, ...] = (ANY,)
        if self._peek() not in ("", "on", "over") or not targets:
            asked = tuple(self._several(self._service, "a service, or a zone"))
        target = together(targets) if targets else None
        service = services.services_as_one(asked)
        test = PolicyTest(self.span, verb, together(sources), target, service)
        return self._qualified(test)

    def _qualified(self, test: PolicyTest) -> PolicyTest:
        """With ``on forward`` and ``over ip6``."""
        while self._peek():
            word = self._next("")
            known = _QUALIFIERS.get(word.text.lower(), {})
            if not known:
                said = "the sentence ends before it; `on` a way or `over` a family may follow"
                raise SentenceError(word, f"{word.text!r} is not understood here: {said}")
            value = self._next(f"{' or '.join(known)}")
            meant = known.get(value.text.lower())
            if isinstance(meant, Hook):
                test = replace(test, way=meant)
            elif isinstance(meant, Family):
                test = replace(test, families=(meant,))
            else:
                what = f"{value.text!r} is none of {', '.join(known)}"
                raise SentenceError(value, f"{what}{near(value.text.lower(), known)}")
        return test

    # -- words --------------------------------------------------------------------------------

    def _peek(self) -> str:
        return self.words[self.at].text.lower() if self.at < len(self.words) else ""

    def _next(self, what: str) -> Span:
        if self.at >= len(self.words):
            end = Span(self.span.source, self.span.end, self.span.end)
            raise SentenceError(end, f"the sentence ends where {what} is expected")
        self.at += 1
        return self.words[self.at - 1]

    def _expect(self, wanted: str, verb: Verb) -> None:
        word = self._next(repr(wanted))
        if word.text.lower() != wanted:
            said = f"{wanted!r} is expected here, not {word.text!r}; write {_USAGE[verb]}"
            raise SentenceError(word, said)

    def _several(self, read: Callable[[Span], _Named], what: str) -> list[_Named]:
        each = [read(self._next(what))]
        while self._peek() in _SEPARATORS:
            self.at += 1
            each.append(read(self._next(what)))
        return each

    def _is_zone(self, word: str) -> bool:
        if word in self.names.services:
            return False
        if word in self.names.zones or word.lower() in BUILT_IN:
            return word.lower() != "any" or self._follows_service()
        return not services.is_service(word) and _network(word) is not None

    def _follows_service(self) -> bool:
        """Whether `any` is a zone: another word follows it that may be a service."""
        rest = self.words[self.at + 1 :]
        return bool(rest) and rest[0].text.lower() not in ("on", "over")

    def _zone(self, word: Span) -> Zone:
        name = word.text
        if name in self.names.zones:
            return self.names.zones[name]
        if name.lower() in BUILT_IN:
            return Zone(name.lower(), BUILT_IN[name.lower()])
        network = _network(name)
        if network is not None and network.name == name:
            return network
        if network is not None:
            said = f"{name!r} has host bits set (did you mean {network.networks[0]}?)"
            raise SentenceError(word, said)
        hint = near(name, self.names.all_zones())
        hint = hint or "; define it: [zones], or write a network such as 10.0.0.0/8"
        raise SentenceError(word, f"there is no zone {name!r}{hint}")

    def _service(self, word: Span) -> Service:
        if word.text in self.names.services:
            return self.names.services[word.text]
        if not services.is_service(word.text.lower()):
            if self._is_zone(word.text):
                said = (
                    f"{word.text!r} is a zone, and stands before the services that it is asked for"
                )
                raise SentenceError(word, said)
            known: Sequence[str] = (*self.names.all_services(), *self.names.all_zones())
            hint = near(word.text, known) or "; define it: [services], or write a port as 22/tcp"
            raise SentenceError(word, f"there is no service {word.text!r}{hint}")
        try:
            return services.service(word.text.lower())
        except ServiceError as error:
            raise SentenceError(word, str(error)) from None


def _network(word: str) -> Zone | None:
    """A zone of one network, called as it is written unless that has host bits set."""
    if "." not in word and ":" not in word:
        return None
    try:
        network = ip_network(word, strict=False)
    except ValueError:
        return None
    exact = "/" not in word or word.partition("/")[0].lower() == str(network.network_address)
    return Zone(word if exact else str(network), networks=(network,))
