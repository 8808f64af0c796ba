"""Single items of arrays: which one is meant, and what an assignment makes of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from iptlint.dialects.script.arithmetic import calculated
from iptlint.dialects.script.arrays import after_last, keys_of, packed, pairs_of
from iptlint.dialects.script.environment import Environment
from iptlint.dialects.script.symbolic_text import is_known, mark
from iptlint.model.numbers import is_decimal

_VALUE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_KEYED = re.compile(r"\[([^]]*)\]\+?=(.*)", re.DOTALL)


def index_of(index: str, name: str, environment: Environment) -> str | None:
    """The key that stands between the brackets; None where it is not known."""
    if not environment.has_keys(name):
        number = calculated(index, environment)
        return None if number is None else str(number)
    text = _VALUE.sub(lambda found: environment.text(found[1] or found[2]), index)
    if "$" in text or "`" in text or not is_known(text):
        return None
    return text.replace('"', "").replace("'", "")


def array_of(
    name: str, items: Sequence[Sequence[str]], before: tuple[str, ...], *, named: bool
) -> tuple[str, ...]:
    """What ``name=(…)`` makes; ``before``: what it is added to. ``items``: the fields of each word
    between the brackets."""
    plain = keys_of(before) == tuple(map(str, range(len(before))))
    if plain and not named and not any(_KEYED.match(field) for each in items for field in each):
        return (*before, *(field for each in items for field in each))
    pairs = [*pairs_of(before)]
    following = 0 if named else after_last(keys_of(before))
    for fields in items:
        keyed = _KEYED.fullmatch(" ".join(fields))
        if keyed is None and (named or not all(map(is_known, fields))):
            return (mark(f"${name}"),)
        if keyed is not None and not (is_known(keyed[1]) and (named or is_decimal(keyed[1]))):
            return (mark(f"${name}"),)
        new = [(keyed[1], keyed[2])] if keyed else []
        new += [] if keyed else [(str(following + n), field) for n, field in enumerate(fields)]
        pairs += new
        following = after_last([key for key, _ in new]) if new and not named else following
    return packed(pairs, named=named)
