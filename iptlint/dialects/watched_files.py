"""The files that texts led to, so that it can be told later whether they still lead to the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from iptlint.dialects.files import Files, NoFileError, SameFiles

Seen = tuple[tuple[str, ...], str, str, str]
"""A question that was asked, and a digest of its answer: the scripts that the ``Files`` are of, one
inside the other, the question's name and the path."""


@dataclass(frozen=True, slots=True)
class WatchedFiles(SameFiles):
    """The same files; what is asked of them is kept in ``seen``."""

    scripts: tuple[str, ...] = ()
    seen: dict[tuple[tuple[str, ...], str, str], str] = field(default_factory=dict)

    def real_path(self, path: str) -> str:
        self._note("real_path", path)
        return self.files.real_path(path)

    def matching(self, pattern: str) -> list[str]:
        self._note("matching", pattern)
        return self.files.matching(pattern)

    def read(self, path: str) -> bytes:
        self._note("read", path)
        return self.files.read(path)

    def of_script(self, path: str) -> Files:
        return WatchedFiles(self.files.of_script(path), (*self.scripts, path), self.seen)

    def _note(self, question: str, path: str) -> None:
        key = (self.scripts, question, path)
        if key not in self.seen:
            self.seen[key] = _digest(self.files, question, path)


def still_the_same(files: Files, seen: Iterable[Seen]) -> bool:
    """Whether all questions have the answers that they had."""
    return all(
        _digest(_inside(files, scripts), question, path) == digest
        for scripts, question, path, digest in seen
    )


def _inside(files: Files, scripts: Iterable[str]) -> Files:
    for script in scripts:
        files = files.of_script(script)
    return files


def _digest(files: Files, question: str, path: str) -> str:
    try:
        answer = _ANSWERS[question](files, path)
    except NoFileError as error:
        answer = f"none: {error}".encode("utf-8", "surrogateescape")
    return sha256(answer).hexdigest()


_ANSWERS: Mapping[str, Callable[[Files, str], bytes]] = {
    "real_path": lambda files, path: files.real_path(path).encode("utf-8", "surrogateescape"),
    "matching": lambda files, path: "\0".join(files.matching(path)).encode(
        "utf-8", "surrogateescape"
    ),
    "read": lambda files, path: b"there: " + files.read(path),
}
