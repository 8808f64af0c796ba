"""The open files, and which of them are to be looked at."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import inf
from pathlib import PurePath
from urllib.parse import unquote, urlsplit

import attrs
from lsprotocol import types as lsp

from iptlint.editor.desk import Document
from iptlint.editor.positions import DEFAULT_ENCODING
from iptlint.policy.file import NAME

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""JSON may hold half a character; it takes as many units as what stands in its place."""


@dataclass(slots=True)
class OpenFile:
    """``told``: what all rules found when they were last through, moved with the text since;
    ``seconds``: how long they took."""

    uri: str
    path: str
    text: str
    version: int
    told: list[lsp.Diagnostic] = field(default_factory=list)
    seconds: float = inf

    def change(self, text: str, version: int) -> None:
        self.told = moved(self.told, self.text, text)
        self.text, self.version = text, version


@dataclass(slots=True)
class Desktop:
    """``turn``: see ``Document``."""

    files: dict[str, OpenFile] = field(default_factory=dict)
    encoding: str = DEFAULT_ENCODING
    turn: int = 0

    def open(self, uri: str, text: str, version: int) -> OpenFile:
        self.files[uri] = OpenFile(uri, path_of(uri), readable(text), version)
        return self.files[uri]

    def document(self, file: OpenFile) -> Document:
        others = {each.path: each.text for each in self.files.values() if each is not file}
        uris = {each.path: each.uri for each in self.files.values()}
        return Document(file.path, file.text, others, uris, self.encoding, self.turn)


def readable(text: str) -> str:
    return _LONE_SURROGATE.sub("\ufffd", text)


def is_foreign(uri: str) -> bool:
    """Whether the file is of a language that holds no rules; an editor may send all of one."""
    path = PurePath(path_of(uri))
    return path.suffix == ".toml" and path.name != NAME


def path_of(uri: str) -> str:
    """Of a file that was never saved, its name."""
    parts = urlsplit(uri)
    path = unquote(parts.path)
    drive = re.match(r"/[A-Za-z]:", path)
    return str(PurePath(path[1:] if drive else path)) if path else "untitled"


def moved(told: list[lsp.Diagnostic], old: str, new: str) -> list[lsp.Diagnostic]:
    """Diagnostics of an old text in the new one; without those of lines that changed."""
    before, after = old.splitlines(), new.splitlines()
    top = _alike(before, after)
    bottom = _alike(before[top:][::-1], after[top:][::-1])
    last, by = len(before) - bottom, len(after) - len(before)
    kept = []
    for each in told:
        if each.range.end.line < top:
            kept.append(each)
        elif each.range.start.line >= last:
            kept.append(_by_lines(each, by))
    return kept


def _alike(one: list[str], other: list[str]) -> int:
    """How many lines the two have in common before the first that differs."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((number for number, (a, b) in pairs if a != b), min(len(one), len(other)))


def _by_lines(each: lsp.Diagnostic, by: int) -> lsp.Diagnostic:
    start, end = each.range.start, each.range.end
    return attrs.evolve(
        each,
        range=lsp.Range(
            lsp.Position(start.line + by, start.character),
            lsp.Position(end.line + by, end.character),
        ),
    )
