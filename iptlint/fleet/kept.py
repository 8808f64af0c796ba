"""The answers of one run, in files, and those of earlier ones, where there is a cache."""

from __future__ import annotations

import json
from dataclasses import dataclass

from iptlint.fleet import answers
from iptlint.fleet.answers import Answers
from iptlint.fleet.likeness import neighbours
from iptlint.linter.store import Store
from iptlint.workers import DiedError

Own = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """``run`` is this run's alone. ``own`` are the addresses that a host has where another of the
    same key has others."""

    run: Store
    cache: Store | None = None

    def put(self, key: str, own: Own, answer: bytes) -> Answers:
        """ValueError where it is none. What was cut short is for this run only."""
        answer_kept = answers.read(answer)
        entry = json.dumps({"own": own, "answer": answer.decode(), "failure": ""}).encode()
        self.run.put(key, entry)
        if self.cache is not None and not answer_kept.unfinished:
            self.cache.put(key, entry)
        return answer_kept

    def fail(self, key: str, error: DiedError) -> None:
        """Whoever is like that host would fare no better."""
        self.run.put(key, json.dumps({"own": (), "answer": "", "failure": str(error)}).encode())

    def knows(self, key: str) -> bool:
        return self._entry(key) is not None

    def get(self, key: str, own: Own) -> Answers | None:
        """In terms of a host's own addresses; None where nothing is kept, or where what is kept
        speaks of addresses beside those of the first host. DiedError where looking failed."""
        entry = self._entry(key)
        if entry is None:
            return None
        old, answer, failure = entry
        if failure:
            raise DiedError(failure)
        if own != old and (len(own) != len(old) or answers.names(answer, [*neighbours(old)])):
            return None
        return answers.read(answers.renamed(answer, old, own))

    def _entry(self, key: str) -> tuple[Own, str, str] | None:
        kept = self.run.get(key) or (self.cache and self.cache.get(key))
        if not kept:
            return None
        try:
            data = json.loads(kept)
            own, answer, failure = tuple(map(str, data["own"])), data["answer"], data["failure"]
            if not failure:
                answers.read(answer)
        except (ValueError, KeyError, TypeError, RecursionError):
            return None  # somebody else wrote it
        return own, answer, failure
