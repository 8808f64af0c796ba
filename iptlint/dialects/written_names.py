"""Where a text names its chains, sets and defines: what an editor leads to, and renames."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from iptlint.source import SourceFile, Span


class NameKind(Enum):
    CHAIN = "chain"
    SET = "set"
    DEFINE = "define"


@dataclass(frozen=True, slots=True)
class WrittenName:
    """``scope``: where two such names mean the same thing: family and table; empty for the whole
    text. ``declares``: the thing is made here."""

    kind: NameKind
    scope: tuple[str, ...]
    name: str
    span: Span
    declares: bool = False

    def is_same(self, other: WrittenName) -> bool:
        """Whether both name one thing."""
        mine, others = (self.kind, self.scope, self.name), (other.kind, other.scope, other.name)
        return mine == others


@dataclass(frozen=True, slots=True)
class WrittenInclude:
    """Where a text names other files, and those of them that were read."""

    span: Span
    files: tuple[SourceFile, ...]
