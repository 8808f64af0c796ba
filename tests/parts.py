"""A part of what is many, for every day; the whole is gone through with ``--long``."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """``whole``: whether ``--long`` was given. What is drawn hangs on ``seed`` alone."""

    whole: bool
    seed: object = 0

    def of(self, everything: Sequence[T], most: int) -> list[T]:
        """At most so many, in the order that they had."""
        if self.whole or len(everything) <= most:
            return list(everything)
        places = random.Random(str(self.seed)).sample(range(len(everything)), most)
        return [everything[place] for place in sorted(places)]
