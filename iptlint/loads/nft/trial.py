"""A load on trial: what has been refused so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.dialects.nft.nodes import Node
from iptlint.loads.nft import checks
from iptlint.loads.nft.features import Fault, Feature, Restriction
from iptlint.loads.refusal import Check, Refusal, Stage
from iptlint.loads.target import Target
from iptlint.source import Edit, SourceFile, Span


@dataclass(slots=True, eq=False)
class Trial:
    """``silent``: the commands only make what is there before the file, and nothing is said.
    ``json``: names are in quotes, and nodes have no places, so ``part`` says what it is about.
    ``target``: what is loaded by, where that was said."""

    refusals: list[Refusal] = field(default_factory=list)
    silent: bool = False
    json: bool = False
    part: str = ""
    target: Target | None = None

    def lack(self, feature: Feature) -> tuple[str, str] | None:
        """What the target does not have of the feature yet, and what to do."""
        return feature.lack(self.target) if self.target is not None else None

    def lacks(self, feature: Feature, where: BlockContext, node: Node) -> bool:
        """Whether the target does not have the feature yet, which is told then."""
        lack = self.lack(feature)
        if lack is not None:
            self.refuse(checks.version(feature.decided, feature.stage), where, node, *lack)
        return lack is not None

    def forbids(self, rule: Restriction, where: BlockContext, node: Node, mend: str) -> bool:
        """Whether the kernel of the target refuses this, and older ones do not."""
        cause = rule.forbids(self.target) if self.target is not None else None
        if cause is not None:
            self.refuse(checks.version(rule.decided, Stage.KERNEL), where, node, cause, mend)
        return cause is not None

    def has_fault(self, fault: Fault, where: BlockContext, node: Node, mend: str) -> None:
        cause = fault.shows(self.target) if self.target is not None else None
        if cause is not None:
            self.refuse(checks.version(fault.decided, fault.stage), where, node, cause, mend)

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
        insert: tuple[int, str] | None = None,
    ) -> None:
        """``insert``: where in the text what is to be written, where that is the one answer."""
        if self.silent:
            return
        source = where if isinstance(where, SourceFile) else where.source
        span = Span(source, node.start, node.end)
        if self.json and self.part:
            cause = f"{self.part}: {cause}"
        edits = (Edit(Span(source, insert[0], insert[0]), insert[1]),) if insert else ()
        self.refusals.append(Refusal(span, check, cause, mend, missing, edits=edits))
