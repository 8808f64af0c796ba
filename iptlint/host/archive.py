"""What was gathered, in one file: a tar archive that nothing is ever unpacked from.

Members are read one after the other into memory, regular files only, with limits on each, on
their number and on all of them; their names are never paths of this machine.
"""

from __future__ import annotations

import gzip
import json
import os
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, Any, cast

from iptlint.host.commands import COMMANDS, MAX_BYTES
from iptlint.host.gathered import CommandOutput, Gathered
from iptlint.model.host import Unread

MANIFEST = "iptlint-host/manifest.json"
_OUTPUTS, _FILES = "iptlint-host/commands/", "iptlint-host/files/"
_VERSION = 1
_MOST_MEMBERS = 20_000
_MOST_BYTES = 256 * 2**20
"""Unpacked, with all headers: tarfile keeps some of those in memory."""

_GZIP = b"\x1f\x8b"
_DAMAGED = (
    *(tarfile.TarError, zlib.error, gzip.BadGzipFile, EOFError, RecursionError),
    *(ValueError, KeyError, TypeError, AttributeError),
)


class ArchiveError(Exception):
    """The file is no archive of a host; the text is a sentence for the user."""


def save(gathered: Gathered, path: str) -> None:
    """OSError where the file cannot be written; then what was there is there still. Only its
    owner may read it."""
    if Path(path).is_symlink():
        raise OSError("is a symbolic link")
    if Path(path).exists() and not Path(path).is_file():
        raise OSError("is no file")
    folder, name = os.path.split(path)
    # Beside it, so that it takes its place in one step; mkstemp gives it to the owner alone.
    handle, beside = tempfile.mkstemp(dir=folder or ".", prefix=f".{name[:100]}.")
    try:
        with os.fdopen(handle, "wb") as file:
            _write(gathered, file)
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def _write(gathered: Gathered, file: IO[bytes]) -> None:
    with tarfile.open(fileobj=file, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        for name, data in _members(gathered):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o600
            archive.addfile(member, BytesIO(data))


def _members(gathered: Gathered) -> Iterator[tuple[str, bytes]]:
    known = {command.name: command for command in COMMANDS}
    manifest = {
        "version": _VERSION,
        "name": gathered.name,
        "live": gathered.live,
        "own_namespace": gathered.own_namespace,
        "commands": {
            name: {
                "argv": known[name].argv,
                "status": output.status,
                "complaint": output.complaint,
            }
            for name, output in gathered.outputs.items()
        },
        "links": dict(gathered.links),
        "unread": [{"what": one.what, "why": one.why} for one in gathered.unread],
    }
    yield MANIFEST, json.dumps(manifest, indent=1).encode("utf-8", "replace")
    for name, output in gathered.outputs.items():
        yield _OUTPUTS + name, output.data
    for path, data in gathered.files.items():
        yield _FILES + path.lstrip("/"), data


def is_archive(path: str) -> bool:
    """Whether the file begins as an archive of ``save`` does. OSError where it cannot be read."""
    with Path(path).open("rb") as file:
        if file.read(len(_GZIP)) != _GZIP:
            return False
    try:
        with _opened(path) as archive:
            first = archive.next()
            return first is not None and first.name == MANIFEST
    except _DAMAGED:
        return False


def load(path: str) -> Gathered:
    """OSError where the file cannot be read, ArchiveError where it is not what ``save`` writes."""
    try:
        members = dict(_read(path))
        return _gathered(members, json.loads(members.pop(MANIFEST)))
    except _DAMAGED as error:
        raise ArchiveError(
            f"{path} is not what `iptlint live --save` writes, or is damaged ({error})"
        ) from None


class _Limited(gzip.GzipFile):
    """Reads on until ``_MOST_BYTES`` have been unpacked, whatever a header says."""

    left = _MOST_BYTES

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= self.left:
            raise ValueError("it is too long")
        data = super().read(size)
        self.left -= len(data)
        return data


@contextmanager
def _opened(path: str) -> Iterator[tarfile.TarFile]:
    with _Limited(path, "rb") as file, tarfile.open(None, "r|", cast(IO[bytes], file)) as archive:
        yield archive


def _read(path: str) -> Iterator[tuple[str, bytes]]:
    with _opened(path) as archive:
        for number, member in enumerate(archive):
            if number > _MOST_MEMBERS or member.size > MAX_BYTES:
                raise ValueError("it is too long")
            # The holes of a sparse one are not in the archive, so nothing would count them.
            is_plain = member.isreg() and not member.issparse()
            if is_plain and ".." not in member.name.split("/"):
                file = archive.extractfile(member)
                if file is not None:
                    yield member.name, file.read(MAX_BYTES)


def _gathered(members: dict[str, bytes], manifest: dict[str, Any]) -> Gathered:
    if manifest["version"] != _VERSION:
        raise ValueError(f"version {manifest['version']!r}")
    known = {command.name for command in COMMANDS}
    return Gathered(
        str(manifest["name"]),
        bool(manifest["live"]),
        {
            name: CommandOutput(
                members.get(_OUTPUTS + name, b""), _status(said), str(said["complaint"])
            )
            for name, said in manifest["commands"].items()
            if name in known
        },
        {
            "/" + name.removeprefix(_FILES): data
            for name, data in members.items()
            if name.startswith(_FILES)
        },
        {str(link): str(target) for link, target in manifest["links"].items()},
        tuple(Unread(str(one["what"]), str(one["why"])) for one in manifest["unread"]),
        None,
        bool(manifest["own_namespace"]),
    )


def _status(said: dict[str, Any]) -> int | None:
    status = said["status"]
    if status is not None and not isinstance(status, int):
        raise TypeError("a status is a number")
    return status
