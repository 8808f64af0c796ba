"""What a test asks of the shell that works through it, besides its words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from iptlint.dialects.script import tree as t
from iptlint.dialects.script.arithmetic import calculated
from iptlint.dialects.script.array_items import index_of
from iptlint.dialects.script.conditions import Answer, Surroundings
from iptlint.dialects.script.regular import Regular, literal, regular
from iptlint.dialects.script.symbolic_text import is_known, mark
from iptlint.dialects.script.word_expansion import Expander


def surroundings(expander: Expander, words: Sequence[t.Word]) -> Surroundings:
    """``words``: those of ``[[ … ]]``; none where quotes mean nothing."""
    environment = expander.environment

    def pattern(number: int) -> re.Pattern[str] | None:
        return expander.pattern(words[number]) if words else None

    def expression(number: int) -> Regular | None:
        if not words:
            return None
        texts = [(expander.joined(part), part.quoted) for part in words[number].parts]
        if not all(is_known(text) for text, _ in texts):
            return None
        return regular("".join(literal(text) if quoted else text for text, quoted in texts))

    def matched(groups: Sequence[str] | None) -> None:
        unknown = (mark("$BASH_REMATCH"),)
        environment.set("BASH_REMATCH", unknown if groups is None else tuple(groups))

    def is_set(name: str) -> Answer:
        plain, _, index = name.partition("[")
        if not is_known(name) or plain not in environment.variables:
            return None if environment.get(plain) is not None else False
        key = index_of(index.removesuffix("]"), plain, environment) if index else "0"
        items = environment.items(plain)
        if key is None or not all(map(is_known, items)):
            return None
        return environment.has_item(plain, key)

    def number(text: str) -> int | None:
        return calculated(text, environment) if is_known(text) else None

    return Surroundings(pattern, expression, matched, is_set, number)
