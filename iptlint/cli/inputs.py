"""The files that a command line names: found, read, and each only once."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from iptlint.cli import COMMANDS

if TYPE_CHECKING:
    from iptlint.source import SourceFile

STDIN = "-"
_NO_PATHS = (STDIN, "")
"""What is no path: to pathlib nothing at all is the directory that one is in."""

PATTERNS = (
    *("rules.v4", "rules.v6", "*.rules", "iptables", "ip6tables", "nftables.conf", "*.nft"),
    *("ipsets", "ipset.conf"),
)
_TWINS = ((".v4", ".v6"), (".v6", ".v4"), ("iptables", "ip6tables"), ("ip6tables", "iptables"))
_SETS = ("ipsets", "ipset.conf")
"""What people call a firewall's file."""

_DOCUMENTS = (".json", ".yaml", ".yml", ".template", ".tfstate")
_BEGINNING = 1 << 16
"""Bytes that tell what a document is."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What could be read, and a sentence for everything that could not."""

    sources: tuple[SourceFile, ...]
    complaints: tuple[str, ...]


def read_inputs(paths: Sequence[str], most: int | None = None, stdin: str | None = None) -> Inputs:
    """``most``: bytes of a file that is read; as many as ever are, if it is not given. ``stdin``:
    what standard input is called."""
    from iptlint.dialects.decode import MAX_BYTES, load

    sources: list[SourceFile] = []
    complaints: list[str] = []
    for path in _once(path for named in paths for path in expanded(named)):
        try:
            source = load(path, most or MAX_BYTES)
            sources.append(replace(source, path=stdin) if stdin and path == STDIN else source)
        except OSError as error:
            complaints.append(_complaint(path, error))
    complaints += (complaint for named in paths for complaint in _links_out(named))
    return Inputs(tuple(sources), tuple(complaints))


def with_twins(paths: Sequence[str]) -> tuple[str, ...]:
    """With what is beside each file and belongs to it: the rules of the other family, and sets."""
    beside = [str(twin) for path in paths for twin in twins(Path(path)) if twin.is_file()]
    return (*paths, *beside)


def twins(path: Path) -> Iterator[Path]:
    """What may be beside a file and belong to it, by its name."""
    name = path.name
    for one, other in _TWINS:
        if one in name:
            yield path.with_name(name.replace(one, other, 1))
    if any(word in name for pair in _TWINS for word in pair):
        yield from (path.with_name(each) for each in _SETS)


def host_archive(paths: Sequence[str]) -> str | None:
    """The file that `iptlint live --save` wrote, if one is named; it stands alone."""
    if not any(path.endswith((".tar.gz", ".tgz")) for path in paths):
        return None
    from iptlint.host.archive import is_archive

    archives = [path for path in paths if Path(path).is_file() and is_archive(path)]
    if archives and len(paths) > 1:
        raise click.UsageError(f"{archives[0]} is a host of its own; name it alone")
    return archives[0] if archives else None


def expanded(path: str) -> Iterator[str]:
    """The files that are looked at where this one, or this directory, is named."""
    if path in _NO_PATHS or not Path(path).is_dir():
        return iter((path,))
    paths = [str(file) for file in _files(Path(path)) if not _leads_out(file, Path(path))]
    return iter(paths or (path,))  # reading an empty directory is what says so


def _files(directory: Path) -> list[Path]:
    files = {file for pattern in PATTERNS for file in directory.rglob(pattern)}
    files |= {*documents_in(directory)}
    return sorted(file for file in files if file.is_file())


def candidates(directory: Path) -> list[Path]:
    """The files right in the directory that may be documents of a cloud, by their names."""
    return sorted(each for each in directory.iterdir() if each.suffix in _DOCUMENTS)


def documents_in(directory: Path) -> Iterator[Path]:
    """Those that are, as far as their beginnings tell."""
    from iptlint.dialects.clouds import is_of_cloud
    from iptlint.dialects.decode import decode

    for file in candidates(directory):
        if file.is_file():
            with file.open("rb") as opened:
                beginning = opened.read(_BEGINNING)
            if is_of_cloud(decode(str(file), beginning)):
                yield file


def _leads_out(file: Path, directory: Path) -> bool:
    """A directory may be somebody else's, and a link in it names any file."""
    return not file.resolve().is_relative_to(directory.resolve())


def _links_out(path: str) -> Iterator[str]:
    if path not in _NO_PATHS and Path(path).is_dir():
        for file in _files(Path(path)):
            if _leads_out(file, Path(path)):
                yield f"{file}: a link to a file outside of {path}; name it to have it read"


def _once(paths: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for path in paths:
        real = path if path == STDIN else os.path.realpath(path)
        if real not in seen:
            seen.add(real)
            yield path


def _complaint(path: str, error: OSError) -> str:
    if not path:
        return "a file is named '', which is no name: perhaps a variable of the shell is not set"
    if isinstance(error, IsADirectoryError):
        return f"{path}: no firewall file is in this directory (looked for {', '.join(PATTERNS)})"
    is_word = path.isalpha() and not Path(path).exists()
    near = difflib.get_close_matches(path, COMMANDS, n=1) if is_word else ()
    hint = f" (did you mean the command {near[0]}?)" if near else ""
    return f"{path}: {error.strerror or error}{hint}"
