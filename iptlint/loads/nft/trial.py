"""A load on trial: what has been refused so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.dialects.nft.nodes import Node
from iptlint.loads.refusal import Check, Refusal
from iptlint.source import SourceFile, Span


@dataclass(slots=True, eq=False)
class Trial:
    """``silent``: the commands only make what is there before the file, and nothing is said."""

    refusals: list[Refusal] = field(default_factory=list)
    silent: bool = False

    def refuse_unknown_flags(
        self,
        check: Check,
        where: BlockContext,
        flags: Sequence[t.Value],
        known: Sequence[str],
        of_what: str,
    ) -> None:
        for flag in flags:
            if flag.text not in known:
                cause = f"`{flag.text}` is no flag of a {of_what}"
                self.refuse(check, where, flag, cause, f"write one of {', '.join(known)}")

    def refuse(
        self,
        check: Check,
        where: BlockContext | SourceFile,
        node: Node,
        cause: str,
        mend: str = "",
        *,
        missing: bool = False,
    ) -> None:
        if self.silent:
            return
        source = where if isinstance(where, SourceFile) else where.source
        span = Span(source, node.start, node.end)
        self.refusals.append(Refusal(span, check, cause, mend, missing))
