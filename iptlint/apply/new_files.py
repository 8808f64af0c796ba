"""The files that are to be applied: which tool takes each, and what it says before and then."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from pathlib import Path

from iptlint.apply.tools import restore_argv, run
from iptlint.dialects import Reader, Reading, read
from iptlint.dialects.decode import STDIN, encode
from iptlint.dialects.detect import IPSET_SAVE, IPTABLES_SAVE, NFT
from iptlint.model import Family
from iptlint.source import SourceFile


class Kind(Enum):
    """In the order in which files are applied: rules name sets."""

    SETS = "ipset"
    NFT = "nft"
    IPTABLES = "iptables"
    IP6TABLES = "ip6tables"


class NoSuchFileError(Exception):
    """The file is none that a tool applies; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class NewFile:
    """``includes``: nft reads it from where it lies, with what it includes from there."""

    source: SourceFile
    reading: Reading
    kind: Kind
    includes: bool = False

    def check(self) -> str:
        """What the tool says against the file, changing nothing; empty where it takes it, or
        cannot say."""
        match self.kind:
            case Kind.SETS:
                return ""
            case Kind.NFT:
                return self._said(("nft", "-c", "-f"))
            case _:
                return self._said(restore_argv(self.kind.value, "--test"))

    def apply(self) -> str:
        """What the tool says against the file; empty where the kernel has it now."""
        match self.kind:
            case Kind.SETS:
                return self._said(("ipset", "-exist", "restore"))
            case Kind.NFT:
                return self._said(("nft", "-f"))
            case _:
                return self._said(restore_argv(self.kind.value))

    def _said(self, argv: tuple[str, ...]) -> str:
        path = os.path.realpath(self.source.path)
        if self.kind is Kind.NFT:
            argv = (*argv, path if self.includes else "-")
        ran = run(argv, encode(self.source), str(Path(path).parent) if self.includes else "/")
        if ran.worked:
            return ""
        said = ran.said.replace("/dev/stdin", self.source.path) or f"exit status {ran.status}"
        return f"{' '.join(argv)}: {said}"


def new_files(sources: Sequence[SourceFile], reader: Reader) -> list[NewFile]:
    """In the order in which they are applied. NoSuchFileError for what no tool loads as it is,
    and for two of a kind."""
    files = sorted((_new_file(source, reader) for source in sources), key=_turn)
    for one, other in pairwise(files):
        if one.kind is other.kind and one.kind is not Kind.NFT:
            raise NoSuchFileError(
                f"{one.source.path} and {other.source.path} are both for {one.kind.value}: the "
                "second would replace the first; name one"
            )
    return files


def _turn(file: NewFile) -> int:
    return [*Kind].index(file.kind)


def _new_file(source: SourceFile, reader: Reader) -> NewFile:
    reading = read(source, reader)
    dialect = reading.ruleset.dialect
    if dialect == IPSET_SAVE or reading.ipset is not None:
        return NewFile(source, reading, Kind.SETS)
    if dialect == NFT:
        includes = any(_others(reading))
        if includes and source.path == STDIN:
            raise NoSuchFileError("standard input includes files: nft has to read it from a file")
        return NewFile(source, reading, Kind.NFT, includes)
    if dialect == IPTABLES_SAVE:
        is_ip6 = any(table.family is Family.IP6 for table in reading.ruleset.tables)
        return NewFile(source, reading, Kind.IP6TABLES if is_ip6 else Kind.IPTABLES)
    raise NoSuchFileError(
        f"{source.path} is no file that `nft -f`, `iptables-restore` or `ipset restore` loads "
        f"({dialect}); a script is run, and not applied"
    )


def _others(reading: Reading) -> Iterator[str]:
    """What the text includes."""
    return reading.ruleset.syntax.included(reading.ruleset.source)
