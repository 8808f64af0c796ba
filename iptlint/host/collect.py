"""Gathers what this host, or a root file system, has. Nothing is changed, and nothing run that is
not in ``commands.COMMANDS``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from iptlint.dialects.decode import MAX_BYTES
from iptlint.host import commands
from iptlint.host.gathered import CommandOutput, Gathered
from iptlint.host.places import (
    LIMIT,
    PLACES,
    RULE_FILES,
    Keep,
    Place,
    is_followed,
    kept,
    named_in,
    referred,
)
from iptlint.host.tree import Tree
from iptlint.model.host import Unread

TELLING = ("/etc/ssh/", *RULE_FILES)

Runner = Callable[[commands.Command], CommandOutput | None]


def gather_here(run: Runner = commands.run, root: str = "/") -> Gathered:
    """This host. ``run`` and ``root`` are others where a host is made up."""
    outputs = {command.name: run(command) for command in commands.COMMANDS}
    there = {name: output for name, output in outputs.items() if output is not None}
    files = _Files(Tree(root))
    name = there["hostname"].data.decode("utf-8", "replace").strip() if "hostname" in there else ""
    return Gathered(
        name or "this host",
        True,
        there,
        files.texts,
        files.links,
        (*complaints(there), *files.unread),
        root,
        _in_own_namespace(),
    )


def gather_root(root: str) -> Gathered:
    """A root file system that does not run; OSError where it is none."""
    if not Path(root).is_dir():
        raise NotADirectoryError(f"{root} is no directory")
    files = _Files(Tree(root), (p for p in PLACES if not p.pattern.startswith("/proc/")))
    return Gathered(root, False, {}, files.texts, files.links, tuple(files.unread), root)


def complaints(outputs: dict[str, CommandOutput]) -> list[Unread]:
    """The commands that could not do their work."""
    return [
        Unread(" ".join(command.argv), _why(output))
        for command in commands.COMMANDS
        if (output := outputs.get(command.name)) is not None and output.status != 0
    ]


def _why(output: CommandOutput) -> str:
    lines = output.complaint.splitlines()
    return lines[0] if lines else f"exit status {output.status}"


def _in_own_namespace() -> bool:
    """Whether this process has another network than the host's first process."""
    try:
        own, first = (Path("/proc", who, "ns/net").readlink() for who in ("self", "1"))
    except OSError:
        return False
    return own != first


class _Files:
    def __init__(self, tree: Tree, places: Iterable[Place] = PLACES) -> None:
        self.tree = tree
        self.texts: dict[str, bytes] = {}
        self.links: dict[str, str] = {}
        self.unread: list[Unread] = []
        self._named: set[str] = set()
        for place in places:
            self._place(place)
        for path in sorted(self._named):
            if path not in self.texts:
                self._read(path, LIMIT, referred)

    def _paths(self, place: Place) -> list[str]:
        try:
            return [*self.tree.find(place.pattern)]
        except OSError as error:
            self._complain(place.pattern, error)
            return []

    def _place(self, place: Place) -> None:
        for path in self._paths(place):
            if place.keep is Keep.LINK:
                target = self.tree.link(path)
                if target is not None:
                    self.links[path] = target
            elif not place.runs or self._is_executable(path):
                most = MAX_BYTES if path in RULE_FILES else LIMIT
                self._read(path, most, partial(self._kept, place))

    def _is_executable(self, path: str) -> bool:
        try:
            return self.tree.is_executable(path)
        except OSError as error:
            self._complain(path, error)
            return False

    def _kept(self, place: Place, data: bytes) -> bytes:
        text = kept(place.keep, data)
        if place.keep is not Keep.WHOLE:
            self._named |= named_in(data if is_followed(place) else text)
        return text

    def _read(self, path: str, most: int, keep: Callable[[bytes], bytes | None]) -> None:
        try:
            data = self.tree.read(path, most)
        except OSError as error:
            self._complain(path, error)
            return
        text = keep(data) if data is not None else None
        # That there is a configuration of sshd says something, a hook of nothing does not.
        if text or (text is not None and path.startswith(TELLING)):
            self.texts[path] = text

    def _complain(self, path: str, error: OSError) -> None:
        unread = Unread(path, error.strerror or str(error))
        if unread not in self.unread:
            self.unread.append(unread)
