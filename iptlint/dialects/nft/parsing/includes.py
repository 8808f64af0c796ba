"""Where the files are that an include names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from iptlint.dialects.diagnostics import Fate
from iptlint.dialects.files import Files, FileTooLongError, NoFileError, NoFiles, is_of_kernel
from iptlint.dialects.nft.nodes import Place
from iptlint.dialects.nft.parsing.errors import AlreadyReportedError, NftSyntaxError, TooDeepError
from iptlint.dialects.nft.tree import Value
from iptlint.source import SourceFile

MAX_DEPTH = 16
"""Files in files, as in nft."""
MAX_FILES = 500
"""In all, however often each: nft has no such limit, and files that include each other no end."""

_ETC, _HOST = "etc", PurePosixPath("/etc")
_WANTED = "nft wants it where these rules are loaded; what it holds is not known here"


class IncludeError(NftSyntaxError):
    """The text is good, and a file that it names is not there or cannot be read."""

    hides_text = True


class NotIncludedError(IncludeError):
    """Nobody wants the file to be read."""

    code = "IPT002"


class AbsentError(IncludeError):
    """The text is a copy of one that is loaded elsewhere, where the file may be."""

    code = "IPT002"
    fate = Fate.MISSING


@dataclass(frozen=True, slots=True)
class Includes:
    """``open_files``: the file that includes, and those that include it, by their own paths;
    ``given``: how people are shown the first. ``read``: the paths of all that were included, by
    whatever file."""

    files: Files
    open_files: tuple[str, ...] = ()
    given: str = ""
    read: list[str] = field(default_factory=list)

    def inside(self, source: SourceFile) -> Includes:
        """The same for what ``source`` includes."""
        path = self.files.real_path(self.files.own_path(source.path))
        return replace(self, open_files=(*self.open_files, path), given=source.path)

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
            path = name.text.lstrip("/") if directory in self._copies else name.text
            paths += self.files.matching(str(PurePosixPath(directory, path)))
            if paths and (directory in self._copies or not pattern):
                return list(dict.fromkeys(paths))
        is_elsewhere = not paths and self._is_elsewhere(name.text)
        if is_elsewhere:
            paths = self._beside(name.text, pattern=pattern)
        if not paths and not pattern:
            if is_elsewhere:
                raise AbsentError(f"There is no file {name.text}", hint=_WANTED, **place)
            raise IncludeError(
                f"There is no file {name.text}{self.files.whereabouts}",
                "a regular file that is there",
                **place,
            )
        return list(dict.fromkeys(paths))

    def _beside(self, name: str, *, pattern: bool) -> list[str]:
        """As the files of a host are kept in a repository: the file lies with its folder beside
        the one that includes it, or in the same folder."""
        own = PurePosixPath(self.open_files[-1]).parent if self.open_files else PurePosixPath()
        parts = PurePosixPath(name).parts[1:]
        tails = [parts[-2:], *([] if pattern else [parts[-1:]])]
        for tail in tails:
            found = self.files.matching(str(own.joinpath(*tail)))
            paths = [path for path in found if self.files.real_path(path) not in self.open_files]
            if paths:
                return paths
        return []

    @property
    def _copies(self) -> tuple[str, ...]:
        """What stands for ``/`` where the file is below the ``etc`` of a copy of a host's files."""
        own = PurePosixPath(self.open_files[-1]) if self.open_files else PurePosixPath()
        return tuple(
            str(each.parent) for each in own.parents if each.name == _ETC and each != _HOST
        )

    def _is_elsewhere(self, name: str) -> bool:
        """Whether the text that includes the file by its whole path is not in its own place: files
        that include each other so lie below one directory of the root."""
        if self.files.whereabouts or not name.startswith("/") or is_of_kernel(name):
            return False
        own = PurePosixPath(self.open_files[-1]) if self.open_files else PurePosixPath()
        return own.parts[:2] != PurePosixPath(name).parts[:2]

    def _searched(self, name: str) -> tuple[str, ...]:
        if name.startswith("/"):
            return (*self._copies, "/")
        own = str(PurePosixPath(self.open_files[-1]).parent) if self.open_files else ""
        given = () if name.startswith(("./", "../")) else self.files.directories
        return tuple(dict.fromkeys((own, "", *given)))

    def _shown(self, path: str) -> str:
        """By a relative path, if the file that includes it is, and it lies beside that or below."""
        shown, own = PurePosixPath(self.files.shown_path(path)), PurePosixPath(self.given)
        folder = PurePosixPath(self.open_files[-1]).parent if self.open_files else own.parent
        if self.given and not own.is_absolute() and shown.is_relative_to(folder):
            return str(own.parent / shown.relative_to(folder))
        return str(shown)

    def _read(self, path: str, place: Place) -> SourceFile:
        shown = self._shown(path)
        try:
            data = self.files.read(path)
        except FileTooLongError as error:
            raise TooDeepError(f"{shown} {error}", **place) from None
        except NoFileError as error:
            raise IncludeError(f"{shown} {error}", "a file to include", **place) from None
        return SourceFile(shown, data.decode("utf-8", "replace"))
