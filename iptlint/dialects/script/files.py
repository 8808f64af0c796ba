"""The files that a script names: those it writes itself, and those that are where it says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from iptlint.dialects.decode import decode
from iptlint.dialects.script.streams import Part
from iptlint.dialects.script.unknown import is_known
from iptlint.source import SourceFile, Span

if TYPE_CHECKING:
    from iptlint.dialects.script.run import Run

MAX_BYTES = 4 * 2**20


def read_beside(run: Run, name: str, _span: Span) -> tuple[Part, ...] | None:
    """What is in the file; None where it is not there, or not known."""
    if not is_known(name):
        return None
    if name in run.files:
        return run.files[name]
    source = find(run.directory, name)
    if source is None:
        return None
    return ((source.text, Span(source, 0, len(source.text)), True),)


def find(directory: Path, name: str) -> SourceFile | None:
    """A relative name is beside the script; so may be one that is absolute on its host."""
    path = Path(name)
    candidates = (path, directory / path.name) if path.is_absolute() else (directory / path,)
    for candidate in candidates:
        try:
            if candidate.is_file() and candidate.stat().st_size <= MAX_BYTES:
                data = candidate.read_bytes()
                if b"\0" not in data:  # a program is no text
                    return decode(str(candidate), data)
        except (OSError, ValueError):
            continue
    return None
