"""The files that a script names: those it writes itself, and those that are beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from glob import escape
from pathlib import PurePosixPath

from iptlint.dialects.decode import decode
from iptlint.dialects.files import Files, NoFileError
from iptlint.dialects.script.contents import is_of_a_firewall
from iptlint.dialects.script.generated_text import TextPart
from iptlint.dialects.script.state import Run
from iptlint.dialects.script.symbolic_text import is_known
from iptlint.source import SourceFile, Span

MAX_BYTES = 4 * 2**20


def _in_image(beside: PurePosixPath, path: PurePosixPath) -> tuple[PurePosixPath, ...]:
    """Where it is in a tree that is kept as it lies on the host: beside ``etc/network/if-up.d/fw``
    ``/etc/network/fw.rules`` is ``etc/network/fw.rules``."""
    if not path.is_absolute() or len(path.parts) < 3:
        return ()
    top = path.parts[1]
    if top not in beside.parts:
        return ()
    root = beside.parts[: beside.parts.index(top)]
    return (PurePosixPath(*root, *path.parts[1:]),)


def read_beside(run: Run, name: str, _span: Span) -> tuple[TextPart, ...] | None:
    """What is in the file; None where it is not there, or not known."""
    if not is_known(name):
        return None
    if name in run.written:
        return run.written[name]
    source = find(run, name)
    if source is None:
        return None
    return (TextPart(source.text, Span(source, 0, len(source.text)), True),)


CONTAINERS = ("*Dockerfile*", "Containerfile*", "*compose*.yml", "*compose*.yaml")
STARTERS = (*CONTAINERS, "Vagrantfile", "*.service", "*crontab*", "*.cron", "rc.local")
"""What starts a script with a host or a container."""


def is_named_beside(files: Files, path: str, patterns: Sequence[str]) -> bool:
    """Whether a file beside the script names it, of those that are called so."""
    return has_word_beside(files, path, PurePosixPath(path).name, patterns)


def has_word_beside(files: Files, path: str, word: str, patterns: Sequence[str]) -> bool:
    """Whether the word stands in a file beside the script, of those that are called so."""
    found = re.compile(rf"(?<![\w.-]){re.escape(word)}(?![\w.-])")
    folder = escape(str(PurePosixPath(path).parent))
    beside = (f"{folder}/{pattern}" for pattern in patterns)
    return any(
        found.search(_text(files, each)) for pattern in beside for each in files.matching(pattern)
    )


def is_told_of(files: Files, path: str, variable: str) -> bool:
    """Whether what is to be read first speaks of a variable by its name, which is no word."""
    return not variable.isalpha() and has_word_beside(files, path, variable, ("README*",))


def _text(files: Files, path: str) -> str:
    try:
        return files.read(path)[:_MOST_OF_A_STARTER].decode(errors="replace")
    except NoFileError:
        return ""


_MOST_OF_A_STARTER = 2**18


def sets_filled_beside(files: Files, path: str) -> frozenset[str]:
    """Those that scripts beside this one make, or put something into, by their names."""
    beside = files.matching(f"{escape(str(PurePosixPath(path).parent))}/*.sh")
    own = files.real_path(path)
    texts = (_text(files, each) for each in beside if files.real_path(each) != own)
    return frozenset(found[1] for text in texts for found in _FILLS.finditer(text))


_FILLS = re.compile(
    r"\bipset[ \t]+(?:-(?:exist|!|q|quiet)[ \t]+)*(?:create|add|-N|-A|--create|--add)[ \t]+"
    r"(?:-(?:exist|!)[ \t]+)*[\"']?([\w.-]+)"
)


def called_files(absent: Sequence[Span]) -> list[str]:
    """The names of the scripts that a script has carried out, of the commands that do so: not of
    those that it only takes variables and functions from, nor of what only says something."""
    words = [span.text.split() for span in absent]
    named = (each[0] for each in words if each and each[0] not in (".", "source"))
    named = (each for each in named if not _SAYS.fullmatch(each))
    return list(dict.fromkeys(f"`{each}`" for each in named))[:_SHOWN]


def sourced_files(absent: Sequence[Span]) -> list[str]:
    """The names of the files that it takes variables and functions from."""
    named = (_SOURCED.match(span.text) for span in absent)
    return list(dict.fromkeys(f"`{each[1]}`" for each in named if each))[:_SHOWN]


_SAYS = re.compile(r"_*(?:debug|log|alert|warn|info|msg|error|die|echo|print)(?:_\w+)?")
_SOURCED = re.compile(r"(?:\.|source)[ \t]++(?:.*/)?([^\s/\"';]+)")


_SHOWN = 3


def find(run: Run, name: str) -> SourceFile | None:
    """A relative name is beside the script; so may be one that is absolute on its host.

    What is no list of rules, variables or addresses is none: a script that somebody else wrote
    could name any file, and its words would be shown.
    """
    if not is_known(name):
        return None
    beside = PurePosixPath(run.directory)
    path = PurePosixPath(name)
    candidates: tuple[PurePosixPath, ...]
    candidates = (path, beside / path.name) if path.is_absolute() else (beside / path,)
    folder = PurePosixPath(run.main.path).parent  # what `dirname "$0"` prints
    if folder.parts and not folder.is_absolute() and path.is_relative_to(folder):
        candidates = (beside / path.relative_to(folder), *candidates)
    candidates += _in_image(beside, path)
    own = run.files.real_path(run.main.path)
    for candidate in map(str, candidates):
        if run.files.real_path(candidate) == own:
            continue  # the script may be called like the file that it loads
        try:
            data = run.files.read(candidate)
        except NoFileError:
            continue
        if len(data) <= MAX_BYTES and b"\0" not in data:  # a program is no text
            source = decode(run.files.shown_path(candidate), data)
            if is_of_a_firewall(source):
                return source
    return None
