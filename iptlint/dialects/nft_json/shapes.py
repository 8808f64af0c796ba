"""Small readings of JSON values that more than one kind of object needs."""

from __future__ import annotations

import re
from typing import Any

from iptlint.dialects.nft import tree as t

Json = Any

_ADDRESS = re.compile(r"[0-9a-fA-F]*:[0-9a-fA-F:.]+|[0-9]+(?:\.[0-9]+){3}")
_WORD = re.compile(r"[A-Za-z_.][A-Za-z0-9_./\-]*")


class UnknownError(ValueError):
    """JSON that is well formed and says nothing this tool knows."""


def number(value: int) -> t.Value:
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnknownError(f"{value!r} is no number")
    return t.Value(str(value), t.Kind.NUMBER)


def optional_number(value: int | None) -> t.Value | None:
    return None if value is None else number(value)


def seconds(value: int) -> t.Value:
    return t.Value(f"{value}s", t.Kind.TIME)


def word(value: str) -> t.Value:
    """A string is a symbol or an address; nft's JSON does not say which were in quotes."""
    if not isinstance(value, str):
        raise UnknownError(f"{value!r} is no word")
    if _ADDRESS.fullmatch(value):
        return t.Value(value, t.Kind.ADDRESS)
    return t.Value(value, t.Kind.SYMBOL if _WORD.fullmatch(value) else t.Kind.STRING)


def string(value: str) -> t.Value:
    if not isinstance(value, str):
        raise UnknownError(f"{value!r} is no string")
    return t.Value(value, t.Kind.STRING)


def listed(value: Json) -> list[Json]:
    """Where nft prints a list of one as its only item."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def only(value: dict[str, Json]) -> tuple[str, Json]:
    """The name and the value of an object that has just one."""
    if not isinstance(value, dict) or len(value) != 1:
        raise UnknownError(f"{value!r} is no object with one name")
    return next(iter(value.items()))
