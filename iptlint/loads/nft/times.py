"""A time, as of an element: numbers with units."""

from __future__ import annotations

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.dialects.nft.lowering.times import fault, read
from iptlint.loads.nft import checks
from iptlint.loads.nft.trial import Trial

_TOO_MANY_MILLISECONDS = ((1 << 64) - 1) // 1_000_000
"""What the kernel counts in nanoseconds."""


def check_timeout(trial: Trial, where: BlockContext, time: object) -> None:
    check_time(trial, where, time)
    if isinstance(time, t.Value) and (read(time.text) or 0) >= _TOO_MANY_MILLISECONDS:
        cause = "the kernel takes no timeout of more than 213503 days"
        trial.refuse(checks.TIMEOUT, where, time, cause, "leave it out, for ever")


def check_time(trial: Trial, where: BlockContext, time: object) -> None:
    if isinstance(time, t.Value) and not trial.json:
        quoted = "nft takes a time without quotes"
        cause = quoted if time.kind is t.Kind.STRING else fault(time.text)
        if cause is not None:
            trial.refuse(checks.TIME, where, time, cause, "write one such as 1h30m")
