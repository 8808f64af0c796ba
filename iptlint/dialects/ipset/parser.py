"""ipset save text to syntax tree.

The grammar defines a line. A list of addresses is one shape of line a hundred thousand times
over, so a line is first held against the grammar's own terminals as regular expressions;
``fast=False`` sends every line through the grammar, and a test holds the two ways to the same
result.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from iptlint.dialects.diagnostics import SyntaxDiagnostic
from iptlint.dialects.ipset.tree import Command, CommandLine, IpsetFile
from iptlint.dialects.ipset.words import GRAMMAR, pattern, plain_words
from iptlint.grammar import parse_flat
from iptlint.model.near_words import nearest
from iptlint.source import SourceFile


@dataclass(frozen=True, slots=True)
class Verb:
    """How a command is called, and how many words may follow it (``most`` None: any number)."""

    command: Command
    names: tuple[str, ...]
    shape: str
    least: int
    most: int | None = None


VERBS = (
    Verb(Command.CREATE, ("create", "n", "-N"), "create NAME TYPE …", 2),
    Verb(Command.ADD, ("add", "-A"), "add NAME ENTRY …", 2),
    Verb(Command.DEL, ("del", "-D"), "del NAME ENTRY …", 2),
    Verb(Command.TEST, ("test", "-T"), "test NAME ENTRY …", 2),
    Verb(Command.DESTROY, ("destroy", "x", "-X"), "destroy [NAME]", 0, 1),
    Verb(Command.SAVE, ("save", "-S"), "save [NAME]", 0, 1),
    Verb(Command.FLUSH, ("flush", "-F"), "flush [NAME]", 0, 1),
    Verb(Command.RENAME, ("rename", "e", "-E"), "rename FROM TO", 2, 2),
    Verb(Command.SWAP, ("swap", "w", "-W"), "swap FROM TO", 2, 2),
)
"""In the order in which ipset tries them (libipset/ipset.c): a name may be cut short, and the
first that fits is meant. What restore refuses (list, help, restore itself) is left out."""


@cache
def verb_of(word: str) -> Verb | None:
    name = word.removeprefix("--")
    if name in ("", "-"):
        return None
    return next((verb for verb in VERBS if any(n.startswith(name) for n in verb.names)), None)


def parse(source: SourceFile, *, fast: bool = True) -> IpsetFile:
    """The tree of a text, and what in it is no command."""
    return _Reader(source, fast).read()


class _Reader:
    def __init__(self, source: SourceFile, fast: bool) -> None:
        self._source = source
        self._fast = fast
        self._lines: list[CommandLine] = []
        self._diagnostics: list[SyntaxDiagnostic] = []

    def read(self) -> IpsetFile:
        start = 0
        for line in self._source.text.split("\n"):
            text = line.rstrip("\r")
            if text and not (self._fast and self._by_form(text, start)):
                self._by_grammar(text, start)
            start += len(line) + 1
        return IpsetFile(self._source, tuple(self._lines), tuple(self._diagnostics))

    def _by_form(self, line: str, start: int) -> bool:
        """Take a plain line; False where only the grammar can say what it is."""
        if _PLAIN.fullmatch(line):
            words = tuple(line.split(" "))
        elif pattern(r"(?:[ \t]*<WORD>(?:[ \t]+<WORD>)*[ \t]*)").fullmatch(line):
            if line.lstrip(" \t")[0] == "#" or line.lstrip(" \t") == "COMMIT":
                return True
            words = tuple(w for w in (r.replace('"', "") for r in _words(line)) if w)
        else:
            return False
        if any(word[0] == "-" for word in words):
            return False
        self._add(words, False, start, start + len(line))
        return True

    def _by_grammar(self, line: str, start: int) -> None:
        parsed = parse_flat(*GRAMMAR, line)
        if parsed is None:
            self._report(start, start + len(line), "The line is no command of ipset", _A_COMMAND)
            return
        rule, tokens = parsed
        if rule != "command":
            return
        if tokens[-1].type == "UNCLOSED":
            at = start + (tokens[-1].start_pos or 0)
            expected = '`"` before the end of the line'
            self._report(at, start + len(line), "The quote is never closed", expected, line)
            return
        words = plain_words(line)
        self._add(words.texts, words.exist, start, start + len(line))

    def _add(self, words: tuple[str, ...], exist: bool, start: int, end: int) -> None:
        if not words:
            return
        verb = verb_of(words[0])
        if verb is None:
            self._unknown(words, start, end)
            return
        given = len(words) - 1
        if given < verb.least or (verb.most is not None and given > verb.most):
            few = "too few" if given < verb.least else "too many"
            line = self._source.text[start:end]
            message = f"There are {few} words after `{words[0]}`"
            self._report(start, end, message, f"`{verb.shape}`", line)
            return
        self._lines.append(CommandLine(verb.command, words, exist, start, end))

    def _unknown(self, words: tuple[str, ...], start: int, end: int) -> None:
        known = [verb.names[0] for verb in VERBS]
        near = nearest(words[0].lstrip("-"), known)
        hint = f"did you mean {near}?" if near else None
        word = plain_words(self._source.text[start:end]).written[0]
        bounds = (start + word.start(), start + word.end())
        line = self._source.text[start:end]
        self._report(*bounds, f"`{words[0]}` is no command", _A_COMMAND, line, hint)

    def _report(
        self,
        start: int,
        end: int,
        message: str,
        expected: str,
        line: str = "",
        hint: str | None = None,
    ) -> None:
        sentence = f"{message}; expected {expected}."
        words = plain_words(line).texts
        about = words[1] if len(words) > 1 else None
        self._diagnostics.append(
            SyntaxDiagnostic(self._source, start, end, sentence, expected, hint, set=about)
        )


_PLAIN = re.compile(r"[!$-~][!#-~]*(?: [!#-~]+)+")
"""Words with one blank between them and no quotes; ``#`` and ``COMMIT`` begin none."""
_A_COMMAND = "a command such as `create`, `add` or `flush`"


def _words(line: str) -> list[str]:
    return pattern("<WORD>").findall(line)
