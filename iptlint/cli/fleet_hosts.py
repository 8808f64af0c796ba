"""Which hosts ``iptlint fleet`` is about, and where they are had from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import click

from iptlint.cli import streams

if TYPE_CHECKING:
    from iptlint.fleet.inventory import Target
    from iptlint.fleet.policy import Policy
    from iptlint.fleet.rows import Taken
    from iptlint.fleet.sources import Folder
    from iptlint.host.gathered import Gathered


@dataclass(frozen=True, slots=True)
class Hosts:
    """``targets``: those of an inventory; without them ``where`` is a folder. ``since``: a folder
    of an earlier day."""

    where: str
    names: tuple[str, ...]
    targets: tuple[Target, ...]
    since: Folder | None

    def gone(self) -> tuple[str, ...]:
        """Those of the earlier day that are not there now."""
        if self.since is None:
            return ()
        names = {*self.names}
        return tuple(name for name in self.since.names() if name not in names)

    def taken(
        self, connections: int, save: str | None, tick: Callable[[int], None]
    ) -> Iterator[Taken]:
        """All that there is of each, in their order."""
        from iptlint.fleet.sources import from_folder, over_ssh

        if not self.targets:
            return from_folder(_folder(self.where), self.names, self.since)
        kept = None if save is None else Path(save)
        return over_ssh(self.targets, min(connections, len(self.targets)), self.since, kept, tick)

    def golden(self, name: str) -> Gathered:
        """The host of that name, or what a capture of that name holds; a click error where there
        is none."""
        from iptlint.host.archive import ArchiveError, load
        from iptlint.host.remote import RemoteError, gather_remote

        try:
            if Path(name).is_file():
                return load(name)
            for target in self.targets:
                if target.name == name:
                    return gather_remote(target.destination, target.port)
            gathered = None if self.targets else _folder(self.where).load(name)
        except (ArchiveError, RemoteError, OSError) as error:
            raise click.ClickException(f"--golden {name}: {error}") from None
        if gathered is None:
            raise click.UsageError(f"--golden: {name} is no capture, and no host of {self.where}")
        return gathered


def _folder(path: str) -> Folder:
    from iptlint.fleet.sources import Folder

    return Folder(Path(path))


def hosts_of(where: str, patterns: tuple[str, ...], since: str | None) -> Hosts:
    """A click error where there are none."""
    earlier = None if since is None else _folder(since)
    if not Path(where).is_dir():
        targets = tuple(target for target in _inventory(where) if target.fits(patterns))
        if not targets:
            why = "no host of the list fits" if patterns else "there is no host in the list"
            raise click.ClickException(f"{where}: {why}")
        names = tuple(target.name for target in targets)
        return Hosts(where, names, targets, earlier)
    names = tuple(
        name
        for name in _folder(where).names()
        if not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)
    )
    if not names:
        raise click.ClickException(f"{where}: no capture (*.tar.gz) is here")
    return Hosts(where, names, (), earlier)


def _inventory(where: str) -> list[Target]:
    from iptlint.dialects.settings_text import MAX_SETTINGS, settings_text
    from iptlint.fleet.inventory import InventoryError, targets

    try:
        listed, unused = targets(settings_text(where, MAX_SETTINGS))
    except InventoryError as error:
        raise click.ClickException(f"{where}:{error}") from None
    except OSError as error:
        raise click.ClickException(f"{where}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        wanted = "a folder of captures, or a text with a host in each line"
        raise click.ClickException(f"{where} is neither: {wanted}") from None
    if unused:
        said = f"{where}: not used, ssh connects as it is set up: {', '.join(unused)}"
        streams.complain(said)
    return listed


def policy_of(path: str | None, *, matrix: bool) -> Policy:
    """A click error where the file of tests, or one that it names, cannot be read."""
    from iptlint.cli.policy_files import others_of, read_policy
    from iptlint.dialects import Reader
    from iptlint.dialects.decode import MAX_BYTES
    from iptlint.fleet.policy import Policy

    if path is None:
        return Policy(matrix=matrix)
    file = read_policy(Path(path), named=True, needs_tests=not matrix)
    others = others_of(file, Path(path), (), Reader(), MAX_BYTES)
    texts = {name: ruleset.source for name, ruleset in others.items()}
    return Policy(file, texts, matrix)
