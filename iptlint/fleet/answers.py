"""What is found on one host, as plain as it is told: it comes from another process or machine, and
may be kept for another day."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any, TypeVar


class Match(Enum):
    """How a host's rules compare with others, packet by packet."""

    SAME = "same"
    MAYBE = "perhaps"
    DIFFERENT = "differs"
    NEW = "new"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Drift:
    """``changes``: the first of them, a line each; ``number``: of all. ``why``: it is not known."""

    match: Match
    number: int = 0
    changes: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A finding."""

    code: str
    name: str
    severity: str
    confidence: str
    path: str
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Item:
    """Of a benchmark."""

    ids: tuple[str, ...]
    title: str
    tool: str
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class Tested:
    """A policy test; ``family`` is empty where it is about all. ``message``: why it fails, or under
    what it holds."""

    test: str
    family: str
    status: str
    passes: bool
    message: str


@dataclass(frozen=True, slots=True)
class Reached:
    """Whether a zone reaches a service of the host."""

    zone: str
    service: str
    family: str
    access: str


@dataclass(frozen=True, slots=True)
class Answers:
    """``rules``: how many there are. ``golden``, ``since``: where it was asked for.
    ``unread``: what could not be read, so that the running rules are not known where ``known`` is
    false. ``unfinished``: not everything was looked at."""

    rules: int
    known: bool
    findings: tuple[Found, ...]
    suppressed: int = 0
    items: tuple[Item, ...] | None = None
    golden: Drift | None = None
    since: Drift | None = None
    tests: tuple[Tested, ...] | None = None
    matrix: tuple[Reached, ...] | None = None
    unread: tuple[str, ...] = ()
    unfinished: bool = False

    def count(self, severity: str) -> int:
        return sum(finding.severity == severity for finding in self.findings)

    @property
    def failing(self) -> int:
        """How many policy tests do not pass."""
        return len({tested.test for tested in self.tests or () if not tested.passes})

    def verdicts(self, verdict: str) -> int:
        return sum(item.verdict == verdict for item in self.items or ())


def written(answers: Answers) -> bytes:
    return json.dumps(asdict(answers), default=_word).encode()


def _word(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    raise TypeError(f"{value!r} is no part of an answer")


def read(data: bytes | str) -> Answers:
    """ValueError where ``written`` did not write it."""
    try:
        return _answers(json.loads(data))
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"no answers: {error}") from None


def _answers(data: Mapping[str, Any]) -> Answers:
    items = data["items"]
    answers = Answers(**data)
    return replace(
        answers,
        findings=tuple(Found(**finding) for finding in data["findings"]),
        items=None if items is None else tuple(map(_item, items)),
        golden=_drift(data["golden"]),
        since=_drift(data["since"]),
        tests=_each(Tested, data["tests"]),
        matrix=_each(Reached, data["matrix"]),
        unread=tuple(data["unread"]),
    )


_T = TypeVar("_T")


def _each(kind: Callable[..., _T], data: Sequence[Any] | None) -> tuple[_T, ...] | None:
    return None if data is None else tuple(kind(**each) for each in data)


def _item(data: Mapping[str, Any]) -> Item:
    return replace(Item(**data), ids=tuple(data["ids"]))


def _drift(data: Mapping[str, Any] | None) -> Drift | None:
    if data is None:
        return None
    return replace(Drift(**data), match=Match(data["match"]), changes=tuple(data["changes"]))


_TOKEN = re.compile(r"(?<![\w.:])[0-9a-f:]*[.:][0-9a-f.:]*[0-9a-f:](?![\w])")


def names(answers: str, addresses: Sequence[str]) -> bool:
    """Whether the answers, as they are written, name one of the addresses."""
    return not {*addresses}.isdisjoint(_TOKEN.findall(answers))


def renamed(answers: str, old: Sequence[str], new: Sequence[str]) -> str:
    """With another address in the place of each."""
    others = dict(zip(old, new, strict=True))
    return _TOKEN.sub(lambda match: others.get(match[0], match[0]), answers)
