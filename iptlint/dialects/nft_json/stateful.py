"""Statements in JSON that remember something: a rule, an element or an object may hold them."""

from __future__ import annotations

from collections.abc import Callable

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft_json.shapes import Json, UnknownError, number, optional_number, seconds

Stateful = t.Counter | t.Limit | t.Quota | t.Last | t.ConnectionLimit


def stateful(name: str, content: Json) -> Stateful:
    """UnknownError, KeyError or TypeError where an element cannot hold it."""
    if name not in STATEFUL or not isinstance(content, dict | None):
        raise UnknownError(f"an element holds no {name!r}")
    return STATEFUL[name](content or {})


def counter(content: dict[str, Json]) -> t.Counter:
    values = (optional_number(content.get(name)) for name in ("packets", "bytes"))
    return t.Counter(*values)


def limit(content: dict[str, Json]) -> t.Limit:
    return t.Limit(
        "over" if content.get("inv") else None,
        number(content["rate"]),
        content.get("rate_unit"),
        content["per"],
        optional_number(content.get("burst")),
        content.get("burst_unit"),
    )


def rule_quota(content: dict[str, Json]) -> t.Quota:
    return t.Quota(
        "over" if content.get("inv") else None,
        number(content["val"]),
        content["val_unit"],
        optional_number(content.get("used")),
        content.get("used_unit"),
    )


def quota(content: dict[str, Json]) -> t.Quota:
    """A quota object, which counts in bytes."""
    mode = "over" if content.get("inv") else None
    used = optional_number(content.get("used"))
    return t.Quota(mode, number(content["bytes"]), "bytes", used, "bytes" if used else None)


def last(content: dict[str, Json]) -> t.Last:
    return t.Last(seconds(content["used"] // 1000) if content else None)


def connection_limit(content: dict[str, Json]) -> t.ConnectionLimit:
    return t.ConnectionLimit(bool(content.get("inv")), number(content["val"]))


STATEFUL: dict[str, Callable[[dict[str, Json]], Stateful]] = {
    "counter": counter,
    "limit": limit,
    "quota": rule_quota,
    "last": last,
    "ct count": connection_limit,
}
