"""A time, as of an element: numbers with units."""

from __future__ import annotations

import re

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.loads.nft import checks
from iptlint.loads.nft.trial import Trial

_TIME = re.compile(r"(?:[0-9]+(?:ms|[dhms])?)+")
"""src/datatype.c, time_parse."""


def check_time(trial: Trial, where: BlockContext, time: object) -> None:
    if isinstance(time, t.Value) and not trial.json and not _TIME.fullmatch(time.text):
        cause, mend = f"`{time.text}` is no time", "write one such as 1h30m"
        trial.refuse(checks.TIME, where, time, cause, mend)
