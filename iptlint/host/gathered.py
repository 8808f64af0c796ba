"""What was gathered of a host, not looked into yet: every byte of it is data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from iptlint.model.host import Unread


@dataclass(frozen=True, slots=True)
class CommandOutput:
    """What a command printed. ``status`` is None where it took too long or printed too much."""

    data: bytes
    status: int | None
    complaint: str = ""


@dataclass(frozen=True, slots=True)
class Gathered:
    """``outputs``: by the names of ``commands.COMMANDS``; a tool that is not there has none.

    ``files``: paths on the host and what is in them, or those lines that matter. ``links``:
    symbolic links and where they lead. ``live`` is false for a root file system that does not
    run; ``root`` is where that is here. ``own_namespace``: it is not the network that the
    host's boot is about.
    """

    name: str
    live: bool
    outputs: Mapping[str, CommandOutput] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[Unread, ...] = ()
    root: str | None = None
    own_namespace: bool = False

    def text(self, path: str) -> str:
        """What is in the file; empty where it is not there."""
        return self.files.get(path, b"").decode("utf-8", "replace")

    def printed(self, command: str) -> str:
        """What the command printed, if it did its work."""
        output = self.outputs.get(command)
        return output.data.decode("utf-8", "replace") if output and output.status == 0 else ""

    def below(self, *directories: str) -> list[str]:
        """The files and links in the directories, by name."""
        paths = {*self.files, *self.links}
        return sorted(p for p in paths if p.rpartition("/")[0] in directories)
