"""Where the files are that an include names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from iptlint.dialects.files import Files, FileTooLongError, NoFileError, NoFiles
from iptlint.dialects.nft.nodes import Place
from iptlint.dialects.nft.parsing.errors import AlreadyReportedError, NftSyntaxError, TooDeepError
from iptlint.dialects.nft.tree import Value
from iptlint.source import SourceFile

MAX_DEPTH = 16
"""Files in files, as in nft."""
MAX_FILES = 500
"""In all, however often each: nft has no such limit, and files that include each other no end."""


class IncludeError(NftSyntaxError):
    """The text is good, and a file that it names is not there or cannot be read."""

    hides_text = True


class NotIncludedError(IncludeError):
    """Nobody wants the file to be read."""

    code = "IPT002"


@dataclass(frozen=True, slots=True)
class Includes:
    """``open_files``: the file that includes, and those that include it, by their own paths.
    ``read``: the paths of all that were included, by whatever file."""

    files: Files
    open_files: tuple[str, ...] = ()
    read: list[str] = field(default_factory=list)

    def inside(self, source: SourceFile) -> Includes:
        """The same for what ``source`` includes."""
        path = self.files.real_path(self.files.own_path(source.path))
        return replace(self, open_files=(*self.open_files, path))

    def sources(self, name: Value) -> Iterator[SourceFile]:
        """The files, in the order nft reads them; IncludeError where there is none."""
        place = Place(start=name.start, end=name.end)
        if len(self.open_files) > MAX_DEPTH:
            raise TooDeepError(f"More than {MAX_DEPTH} files include each other", **place)
        for path in self._paths(name, place):
            if self.files.real_path(path) in self.open_files:
                shown = self.files.shown_path(path)
                raise IncludeError(f"{shown} includes itself", "another file", **place)
            self.read.append(path)
            if len(self.read) == MAX_FILES + 1:
                message = f"More than {MAX_FILES} files are included, so the others are not read"
                raise TooDeepError(message, **place)
            if len(self.read) > MAX_FILES:
                raise AlreadyReportedError(**place)
            yield self._read(path, place)

    def _paths(self, name: Value, place: Place) -> list[str]:
        if isinstance(self.files, NoFiles):
            raise NotIncludedError(f"What {name.text} holds is not read (--no-include)", **place)
        pattern = any(character in name.text for character in "*?[")
        paths: list[str] = []
        for directory in self._searched(name.text):
            paths += self.files.matching(str(PurePosixPath(directory, name.text)))
            if paths and not pattern:
                return paths
        if not paths and not pattern:
            raise IncludeError(
                f"There is no file {name.text}{self.files.whereabouts}",
                "a regular file that is there",
                **place,
            )
        return list(dict.fromkeys(paths))

    def _searched(self, name: str) -> tuple[str, ...]:
        if name.startswith("/"):
            return ("/",)
        own = str(PurePosixPath(self.open_files[-1]).parent) if self.open_files else ""
        given = () if name.startswith(("./", "../")) else self.files.directories
        return tuple(dict.fromkeys((own, "", *given)))

    def _read(self, path: str, place: Place) -> SourceFile:
        shown = self.files.shown_path(path)
        try:
            data = self.files.read(path)
        except FileTooLongError as error:
            raise TooDeepError(f"{shown} {error}", **place) from None
        except NoFileError as error:
            raise IncludeError(f"{shown} {error}", "a file to include", **place) from None
        return SourceFile(shown, data.decode("utf-8", "replace"))
