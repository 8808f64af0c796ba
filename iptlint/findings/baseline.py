"""Findings that are accepted for now, by their fingerprints, which outlive moved lines."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from iptlint.findings.finding import Finding
from iptlint.findings.fingerprint import fingerprints

VERSION = 1
_KEYS = ("fingerprint", "code", "path", "line", "message", "reason", "owner", "expires")


class BaselineError(ValueError):
    """What is no baseline; the text ends the sentence "FILE: "."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A finding that somebody (``owner``) accepts, for a ``reason``, until it ``expires``."""

    fingerprint: str
    code: str
    path: str
    line: int
    message: str
    reason: str = ""
    owner: str = ""
    expires: date | None = None

    @classmethod
    def of(cls, finding: Finding, fingerprint: str) -> Accepted:
        span = finding.span
        message = finding.told().message
        return cls(fingerprint, finding.code, span.source.path, span.line, message)

    def holds_on(self, day: date) -> bool:
        """Through the day that it expires."""
        return self.expires is None or day <= self.expires

    def as_json(self) -> dict[str, object]:
        return {
            "fingerprint": self.fingerprint,
            "code": self.code,
            "path": self.path,
            "line": self.line,
            "message": self.message,
            "reason": self.reason,
            "owner": self.owner,
            "expires": self.expires.isoformat() if self.expires else None,
        }


@dataclass(frozen=True, slots=True)
class Baseline:
    """By their fingerprints."""

    accepted: Mapping[str, Accepted]

    def hides(self, fingerprint: str, day: date) -> bool:
        accepted = self.accepted.get(fingerprint)
        return accepted is not None and accepted.holds_on(day)

    def expired_on(self, day: date) -> int:
        """How many speak again."""
        return sum(not each.holds_on(day) for each in self.accepted.values())

    def again(self, findings: Sequence[Finding]) -> Baseline:
        """Of these findings, with what people wrote of those that are still there."""
        fresh = {mark: Accepted.of(f, mark) for f, mark in _marked(findings)}
        kept = {mark: self._kept(each) for mark, each in fresh.items()}
        return Baseline(kept)

    def _kept(self, fresh: Accepted) -> Accepted:
        old = self.accepted.get(fresh.fingerprint)
        if old is None:
            return fresh
        where = (fresh.fingerprint, fresh.code, fresh.path, fresh.line, fresh.message)
        return Accepted(*where, old.reason, old.owner, old.expires)

    def as_json(self) -> dict[str, object]:
        each = [accepted.as_json() for accepted in self.accepted.values()]
        return {"version": VERSION, "findings": each}


EMPTY = Baseline({})


def _marked(findings: Sequence[Finding]) -> Iterator[tuple[Finding, str]]:
    return zip(findings, fingerprints(findings), strict=True)


def sifted(
    baseline: Baseline, findings: Sequence[Finding], day: date
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """The findings that speak, and those that the baseline hides on that day."""
    marked = [*_marked(findings)]
    speaking = tuple(f for f, mark in marked if not baseline.hides(mark, day))
    hidden = tuple(f for f, mark in marked if baseline.hides(mark, day))
    return speaking, hidden


def baseline_of(document: object) -> Baseline:
    """The baseline that a JSON document is; BaselineError where it is none."""
    listed = document.get("findings") if isinstance(document, dict) else None
    if not isinstance(listed, list) or not isinstance(document, dict):
        raise BaselineError("it is no baseline; write one with --write-baseline")
    if document.get("version") != VERSION:
        raise BaselineError(f"it is of version {document.get('version')!r}, not {VERSION}")
    accepted = [_accepted(number, each) for number, each in enumerate(listed, 1)]
    return Baseline({each.fingerprint: each for each in accepted})


def _accepted(number: int, entry: object) -> Accepted:
    if not isinstance(entry, dict) or not isinstance(entry.get("fingerprint"), str):
        raise BaselineError(f"finding {number} has no fingerprint")
    for key in entry:
        if key not in _KEYS:
            near = difflib.get_close_matches(key, _KEYS, n=1)
            hint = f" (did you mean {near[0]}?)" if near else f"; there are {', '.join(_KEYS)}"
            raise BaselineError(f"finding {number} has a key {key!r}, which is none{hint}")
    line = entry.get("line")
    texts = {
        key: str(entry.get(key) or "") for key in ("code", "path", "message", "reason", "owner")
    }
    return Accepted(
        fingerprint=entry["fingerprint"],
        line=line if isinstance(line, int) else 1,
        expires=_day(number, entry.get("expires")),
        **texts,
    )


def _day(number: int, value: object) -> date | None:
    if value is None or value == "":
        return None
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise BaselineError(
            f"finding {number} expires on {value!r}, which is no day as 2030-12-31"
        ) from None
