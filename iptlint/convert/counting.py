"""Matches that count: packets, bytes, connections, and the times an address was seen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import cast

from iptlint.convert.asking import FULL_MASKS, Asking, Joint, Tests, compared, line
from iptlint.dialects import thresholds
from iptlint.dialects.iptables.extensions.builders import all_given, number_of, value_of
from iptlint.dialects.iptables.extensions.row import Uses
from iptlint.dialects.nft.writing.tests import HAS_CONNECTION, Lines
from iptlint.dialects.nft.writing.values import PROTOCOL_NAMES, NoFormError
from iptlint.model import Family
from iptlint.model.numbers import decimal
from iptlint.model.protocols import PORT_PROTOCOLS

_MOST_OF_A_QUOTA = 2**63 - 1
"""nft_quota_do_init; iptables takes twice as much."""
_SIZE = 65535
"""Of a set that rules fill: what `nft` gives one that says nothing of it."""


def _negated(uses: Uses) -> bool:
    return any(given.negated for given in all_given(uses))


def _limit(uses: Uses, _: Asking) -> Lines:
    rate = value_of(uses, "limit") or "3/hour"
    burst = value_of(uses, "limit-burst")
    return line(f"limit rate {rate} burst {5 if burst is None else burst} packets")


def _quota(uses: Uses, _: Asking) -> Lines:
    amount = number_of(uses, "quota")
    if amount > _MOST_OF_A_QUOTA:
        raise NoFormError("a quota that nft has no room for")
    return line(f"quota {'over ' * _negated(uses)}{amount} bytes")


def _statistic(uses: Uses, _: Asking) -> Lines:
    negated = _negated(uses)
    if "every" in uses:
        which = value_of(uses, "packet") or 0
        return compared(f"numgen inc mod {value_of(uses, 'every')}", str(which), negated=negated)
    below = round(float(str(value_of(uses, "probability"))) * (thresholds.RANDOM + 1))
    if not 0 < below <= thresholds.RANDOM:
        raise NoFormError("a probability of 0 or 1")
    return line(f"meta random & 0x7fffffff {'>=' if negated else '<'} {below:#x}")


def _bytes(uses: Uses, _: Asking) -> Lines:
    low, colon, high = str(value_of(uses, "connbytes")).partition(":")
    way = value_of(uses, "connbytes-dir")
    direction = "" if way == "both" else f"{way} "
    selector = f"ct {direction}{value_of(uses, 'connbytes-mode')}"
    negated = _negated(uses)
    if not colon or not high:
        return line(f"{selector} {'<' if negated else '>='} {low}", HAS_CONNECTION)
    return compared(selector, f"{low}-{high}", HAS_CONNECTION, negated=negated)


# -- for each address -----------------------------------------------------------------------------


def _connections(uses: Uses, asking: Asking) -> Lines:
    above = "connlimit-above" in uses
    number = number_of(uses, "connlimit-above" if above else "connlimit-upto")
    over = above is not _negated(uses)
    side = "daddr" if "connlimit-daddr" in uses else "saddr"
    mask = value_of(uses, "connlimit-mask")
    if mask is not None and str(mask) in ("0.0.0.0", "::"):
        raise NoFormError("a limit of connections for all addresses together")
    masked = "" if mask is None or str(mask) in FULL_MASKS else f" & {mask}"
    key = f"{asking.ip} {side}{masked}"
    body = (f"type {asking.address_type}", f"size {_SIZE}", "flags dynamic")
    # Each rule counts for itself.
    name = asking.declarations.declare("set", "connlimit", object(), body)
    asking.declarations.meanings.effects[name] = ()
    return line(f"add @{name} {{ {key} ct count {'over ' * over}{number} }}")


_KEYS = {"srcip": "saddr", "dstip": "daddr", "srcport": "sport", "dstport": "dport"}
_MASKS = {"srcip": "hashlimit-srcmask", "dstip": "hashlimit-dstmask"}
_UNUSUAL = ("hashlimit-rate-match", "hashlimit-rate-interval")
_SIZES = {"": "bytes", "k": "kbytes", "m": "mbytes"}
_RATE = re.compile(r"([0-9]+)([km]?)b/s")
_BURST = re.compile(r"([0-9]+)([kKmM]?)b?")


def _hashlimit(uses: Uses, asking: Asking) -> Lines:
    unusual = [option for option in _UNUSUAL if option in uses]
    if unusual:
        raise NoFormError(f"nft has nothing like --{unusual[0]}")
    parts = [*_hashed(uses, asking)]
    if not parts:
        raise NoFormError("a limit for all packets together that a name is shared by")
    above = "hashlimit-above" in uses
    over = "over " * (above is not _negated(uses))
    rate, burst, seconds = _rate_of(uses, "hashlimit-above" if above else "hashlimit-upto")
    expiry = value_of(uses, "hashlimit-htable-expire")
    timeout = seconds if expiry is None else max(1, int(str(expiry)) // 1000)
    types, keys = zip(*parts, strict=True)
    name = str(value_of(uses, "hashlimit-name"))
    body = (f"type {' . '.join(types)}", f"size {_SIZE}", "flags dynamic,timeout")
    of = asking.declarations.declare("set", name, ("hashlimit", name, asking.family, types), body)
    asking.declarations.meanings.effects[of] = ()
    limited = f"limit rate {over}{rate}{burst}"
    return line(f"update @{of} {{ {' . '.join(keys)} timeout {timeout}s {limited} }}")


def _hashed(uses: Uses, asking: Asking) -> Iterator[tuple[str, str]]:
    for mode in cast("tuple[str, ...]", value_of(uses, "hashlimit-mode") or ()):
        field = _KEYS[mode]
        if mode.endswith("port"):
            name = PROTOCOL_NAMES.get(asking.protocol or 0)
            if asking.protocol not in PORT_PROTOCOLS or name is None:
                raise NoFormError("a port of a protocol that has none, or of several")
            yield "inet_service", f"{name} {field}"
        else:
            length = value_of(uses, _MASKS[mode])
            yield asking.address_type, f"{asking.ip} {field}{_masked(length, asking.family)}"


def _masked(length: object, family: Family) -> str:
    from ipaddress import ip_network

    if length is None or length == family.address_bits:
        return ""
    zero = "0.0.0.0" if family is Family.IP else "::"
    return f" & {ip_network(f'{zero}/{length}').netmask}"


def _rate_of(uses: Uses, option: str) -> tuple[str, str, int]:
    """The rate and the burst in nft's words, and the seconds after which hashlimit forgets."""
    text, burst = str(value_of(uses, option)), value_of(uses, "hashlimit-burst")
    amount = _BURST.fullmatch(str(burst)) if burst is not None else None
    in_bytes = _RATE.fullmatch(text)
    if in_bytes:
        shown = f"{in_bytes[1]} {_SIZES[in_bytes[2]]}/second"
        size = f" burst {amount[1]} {_SIZES[amount[2].lower()]}" if amount else ""
        return shown, size, thresholds.usual_timeout(1, amount is not None, of_bytes=True)
    seconds = thresholds.SECONDS[text.partition("/")[2]]
    return text, f" burst {decimal(amount[1]) if amount else 5} packets", seconds


def _counts(row: Tests) -> Tests:
    return lambda uses, asking: tuple(
        tuple(replace(item, counts=True) for item in line) for line in row(uses, asking)
    )


COUNTING: Joint = {
    "connbytes": _bytes,
    "limit": _counts(_limit),
    "quota": _counts(_quota),
    "statistic": _counts(_statistic),
    "connlimit": _counts(_connections),
    "hashlimit": _counts(_hashlimit),
}
