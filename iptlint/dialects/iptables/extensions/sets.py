"""ipsets: the match that looks into them and the target that fills them."""

from __future__ import annotations

from dataclasses import replace

from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.dialects.iptables.extensions import values
from iptlint.dialects.iptables.extensions.builders import (
    goes_on,
    need_one,
    opt,
    row,
    spell_all,
    write,
)
from iptlint.dialects.iptables.extensions.row import ExtensionResult, GivenOption, Uses
from iptlint.dialects.uninterpreted import uninterpreted
from iptlint.model import Effect, EffectKind, Family, Field
from iptlint.model.matches import SetLookup

_COUNTERS = ("packets-eq", "packets-lt", "packets-gt", "bytes-eq", "bytes-lt", "bytes-gt")
_NO_TEST = ("update-counters", "update-subcounters")
_ACTIONS = ("add-set", "del-set", "map-set")


def _directions(text: str, _: Family) -> str:
    """``src``, ``dst`` and so on, at most six (IPSET_DIM_MAX)."""
    parts = text.split(",")
    if len(parts) > 6 or not all(part.startswith(("src", "dst")) for part in parts):
        raise InvalidValueError("a comma list of src and dst, at most six")
    return ",".join(part[:3] for part in parts)


def _set_name(text: str, _: Family) -> str:
    if not 0 < len(text) < 32:
        raise InvalidValueError("a set's name of at most 31 characters", refused=True)
    return text


def _lookup(given: GivenOption) -> SetLookup:
    name, directions = map(str, given.values)
    return SetLookup(name, tuple(word == "src" for word in directions.split(",")))


def _lower_match(uses: Uses, _: Family) -> ExtensionResult:
    """Counters change with every packet, so a test of them is uncertain."""
    (given,) = uses["match-set"]
    name, directions = given.values
    rest = spell_all({k: v for k, v in uses.items() if k not in ("match-set", *_NO_TEST)})
    lookup = replace(_lookup(given), return_nomatch="return-nomatch" in uses)
    test = uninterpreted(f"set {name} {directions} {rest}".rstrip(), given.negated, lookup)
    counts = any(counter in uses for counter in _COUNTERS)
    return ExtensionResult((test.unsettled if counts else test,))


def _lower_target(uses: Uses, family: Family) -> ExtensionResult:
    lookups = {name: _lookup(uses[name][0]) for name in _ACTIONS if name in uses}
    effects = [Effect(EffectKind.SET, name=lookups[n].name) for n in _ACTIONS[:2] if n in lookups]
    marks = [write(Field.MARK)] if "map-mark" in uses else []
    lowered = goes_on("SET", *effects, *marks)(uses, family)
    assert lowered.verdict is not None
    return replace(lowered, verdict=replace(lowered.verdict, needs=tuple(lookups.values())))


MATCH = row(
    "set",
    opt("match-set set", _set_name, _directions, inv=True, req=True),
    opt("return-nomatch"),
    *(opt(flag, inv=True) for flag in _NO_TEST),
    *(opt(counter, values.bits(64), inv=counter.endswith("eq")) for counter in _COUNTERS),
    lower=_lower_match,
)

TARGET = row(
    "SET",
    *(opt(name, _set_name, _directions) for name in _ACTIONS),
    opt("exist"),
    opt("timeout", values.bits(32)),
    *(opt(name) for name in ("map-mark", "map-prio", "map-queue")),
    lower=need_one(*_ACTIONS, then=_lower_target),
)
