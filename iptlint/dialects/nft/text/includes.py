"""Where the files are that an include names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from glob import glob
from pathlib import Path

from iptlint.dialects.nft.nodes import Place
from iptlint.dialects.nft.text.faults import Fault, TooDeepFault
from iptlint.dialects.nft.tree import Value
from iptlint.source import SourceFile

DEFAULT_DIRECTORIES = (Path("/etc"),)
"""What ``nft -I`` is without being told."""
MAX_DEPTH = 16
"""Files in files, as in nft."""
MAX_BYTES = 64 * 1024 * 1024


class IncludeFault(Fault):
    """The text is good, and a file that it names is not there or cannot be read."""

    hides_text = True


@dataclass(frozen=True, slots=True)
class Includes:
    """``open_files``: the file that includes, and those that include it."""

    directories: tuple[Path, ...]
    open_files: tuple[Path, ...] = ()

    def inside(self, source: SourceFile) -> Includes:
        """The same for what ``source`` includes."""
        return replace(self, open_files=(*self.open_files, Path(source.path).resolve()))

    def sources(self, name: Value) -> Iterator[SourceFile]:
        """The files, in the order nft reads them; IncludeFault where there is none."""
        place = Place(start=name.start, end=name.end)
        if len(self.open_files) > MAX_DEPTH:
            raise TooDeepFault(f"More than {MAX_DEPTH} files include each other", **place)
        for path in self._paths(name, place):
            if path.resolve() in self.open_files:
                raise IncludeFault(f"{path} includes itself", "another file", **place)
            yield _read(path, place)

    def _paths(self, name: Value, place: Place) -> list[Path]:
        pattern = any(character in name.text for character in "*?[")
        found: list[Path] = []
        for directory in self._searched(name.text):
            names = sorted(glob(str(directory / name.text)))  # noqa: PTH207 - also absolute ones
            found += (path for path in map(Path, names) if path.is_file())
            if found and not pattern:
                return found
        if not found and not pattern:
            raise IncludeFault(f"There is no file {name.text}", "a file that is there", **place)
        return list(dict.fromkeys(found))

    def _searched(self, name: str) -> tuple[Path, ...]:
        if name.startswith("/"):
            return (Path("/"),)
        here = self.open_files[-1].parent if self.open_files else Path()
        given = () if name.startswith(("./", "../")) else self.directories
        return tuple(dict.fromkeys((here, Path(), *given)))


def _read(path: Path, place: Place) -> SourceFile:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise TooDeepFault(f"{path} is too long", **place)
        return SourceFile(str(path), path.read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        raise IncludeFault(f"{path} cannot be read: {error.strerror}", **place) from None
