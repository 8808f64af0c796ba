"""The files that a command line names: found, read, and each only once."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from iptlint.cli import COMMANDS

if TYPE_CHECKING:
    from iptlint.source import SourceFile

STDIN = "-"
PATTERNS = (
    *("rules.v4", "rules.v6", "*.rules", "iptables", "ip6tables", "nftables.conf", "*.nft"),
    *("ipsets", "ipset.conf"),
)
"""What people call a firewall's file."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What could be read, and a sentence for everything that could not."""

    sources: tuple[SourceFile, ...]
    complaints: tuple[str, ...]


def read_inputs(paths: Sequence[str], most: int | None = None) -> Inputs:
    """``most``: bytes of a file that is read; as many as ever are, if it is not given."""
    from iptlint.dialects.decode import MAX_BYTES, load

    sources: list[SourceFile] = []
    complaints: list[str] = []
    for path in _once(path for named in paths for path in _expand(named)):
        try:
            sources.append(load(path, most or MAX_BYTES))
        except OSError as error:
            complaints.append(_complaint(path, error))
    complaints += (complaint for named in paths for complaint in _links_out(named))
    return Inputs(tuple(sources), tuple(complaints))


def host_archive(paths: Sequence[str]) -> str | None:
    """The file that `iptlint live --save` wrote, if one is named; it stands alone."""
    if not any(path.endswith((".tar.gz", ".tgz")) for path in paths):
        return None
    from iptlint.host.archive import is_archive

    archives = [path for path in paths if Path(path).is_file() and is_archive(path)]
    if archives and len(paths) > 1:
        raise click.UsageError(f"{archives[0]} is a host of its own; name it alone")
    return archives[0] if archives else None


def _expand(path: str) -> Iterator[str]:
    if path == STDIN or not Path(path).is_dir():
        return iter((path,))
    paths = [str(file) for file in _files(Path(path)) if not _leads_out(file, Path(path))]
    return iter(paths or (path,))  # reading an empty directory is what says so


def _files(directory: Path) -> list[Path]:
    files = {file for pattern in PATTERNS for file in directory.rglob(pattern)}
    return sorted(file for file in files if file.is_file())


def _leads_out(file: Path, directory: Path) -> bool:
    """A directory may be somebody else's, and a link in it names any file."""
    return not file.resolve().is_relative_to(directory.resolve())


def _links_out(path: str) -> Iterator[str]:
    if path != STDIN and Path(path).is_dir():
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
    if isinstance(error, IsADirectoryError):
        return f"{path}: no firewall file is in this directory (looked for {', '.join(PATTERNS)})"
    near = difflib.get_close_matches(path, COMMANDS, n=1)
    hint = f" (did you mean the command {near[0]}?)" if near and not Path(path).exists() else ""
    return f"{path}: {error.strerror or error}{hint}"
