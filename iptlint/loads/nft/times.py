"""A time, as of an element: numbers with units."""

from __future__ import annotations

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.dialects.nft.lowering.times import fault
from iptlint.loads.nft import checks
from iptlint.loads.nft.trial import Trial


def check_time(trial: Trial, where: BlockContext, time: object) -> None:
    if isinstance(time, t.Value) and not trial.json:
        quoted = "nft takes a time without quotes"
        cause = quoted if time.kind is t.Kind.STRING else fault(time.text)
        if cause is not None:
            trial.refuse(checks.TIME, where, time, cause, "write one such as 1h30m")
