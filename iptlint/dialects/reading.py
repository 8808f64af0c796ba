"""What a text is read with, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from iptlint.dialects.detect import NFT
from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.files import Files, LocalFiles
from iptlint.model import Family, Ruleset
from iptlint.source import SourceFile

if TYPE_CHECKING:
    from iptlint.dialects.ipset.tree import IpsetFile
    from iptlint.dialects.iptables.parsing.tree import SaveFile
    from iptlint.dialects.nft.tree import NftFile


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of one source. ``opaque`` counts the tests that nobody knows; ``ipset`` is
    what a source holds that lists sets and no rules; ``tree`` the text as it was written, where
    a tool loads it as it is."""

    ruleset: Ruleset
    diagnostics: tuple[Diagnostic, ...] = ()
    opaque: int = 0
    ipset: IpsetFile | None = None
    tree: NftFile | SaveFile | None = None

    def included(self) -> tuple[SourceFile, ...]:
        """The files that are read where it names them, and what they name."""
        if self.ruleset.dialect != NFT:
            return ()
        from iptlint.dialects.nft.tree import NftFile
        from iptlint.dialects.nft.walking import included_by

        return tuple(included_by(self.tree.items)) if isinstance(self.tree, NftFile) else ()


@dataclass(frozen=True, slots=True)
class Reader:
    """How texts are read: ``family`` is worked out from the text where it is None;
    ``files`` are those that a text may lead to;
    ``start`` is the firewall that a script begins with, that of a host that has just started
    where it is None; ``arguments`` are what a script is called with, ``start`` where they are None
    and it knows that word."""

    family: Family | None = None
    files: Files = field(default_factory=LocalFiles)
    start: Ruleset | None = None
    arguments: tuple[str, ...] | None = None
