"""The keywords after ``create NAME TYPE`` and ``add NAME ENTRY``, read by their tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.dialects.ipset.diagnostics import IpsetDiagnostics
from iptlint.dialects.ipset.open_set import OpenSet
from iptlint.dialects.ipset.tree import CommandLine
from iptlint.dialects.ipset.types import ADD_OPTIONS, Option, SetType
from iptlint.dialects.ipset.values import Form, address, addresses, port_range
from iptlint.dialects.iptables.extensions.values import integer
from iptlint.model import Family
from iptlint.model.sets import Dimension, Extras

_FAMILIES = {"inet": Family.IP, "ipv4": Family.IP, "inet6": Family.IP6, "ipv6": Family.IP6}


@dataclass(frozen=True, slots=True)
class GivenOptions:
    """The value of every keyword that was given; of a flag, nothing. ``words``: where each is."""

    values: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, int] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def number(self, name: str) -> int | None:
        text = self.values.get(name)
        return None if text is None else _number(text, _U64)

    def text(self, name: str) -> str:
        return self.values.get(name, "")


_U64 = (0, 2**64 - 1)


def read_options(
    line: CommandLine,
    first: int,
    table: Mapping[str, Option],
    kind: SetType,
    diagnostics: IpsetDiagnostics,
) -> GivenOptions | None:
    """The keywords from the word ``first`` on; None, and a diagnostic, where one does not fit."""
    values: dict[str, str] = {}
    places: dict[str, int] = {}
    index = first
    while index < len(line.words):
        name = line.words[index].removeprefix("--")
        option = table.get(name)
        if option is None or not option.fits(kind):
            known = [o.name for o in table.values() if o.fits(kind)]
            diagnostics.unknown(line, index, f"option of {kind.name} sets called", known)
            return None
        if name in values and not option.flag:
            diagnostics.value(line, index, InvalidValueError(f"{name} only once"))
            return None
        places[name] = index
        text = "" if option.flag or index + 1 >= len(line.words) else line.words[index + 1]
        try:
            values[name] = "" if option.flag else _checked(option, text)
        except InvalidValueError as error:
            diagnostics.value(line, index + 1, error)
            return None
        index += 1 if option.flag else 2
    return GivenOptions(values, places)


def _checked(option: Option, text: str) -> str:
    if not text:
        raise InvalidValueError(f"a value after {option.name}")
    if option.words and text not in option.words:
        raise InvalidValueError(" or ".join(option.words[:2]))
    if option.numbers:
        _number(text, option.numbers)
    return text


def _number(text: str, limits: tuple[int, int]) -> int:
    low, high = limits
    if not re.fullmatch(r"0[xX][0-9a-fA-F]{1,16}|[0-9]{1,20}", text, re.ASCII):
        raise InvalidValueError(f"a number from {low} to {high}")
    return integer(text, low, high)


MAX_BITMAP = 0xFFFF  # IPSET_BITMAP_MAX_RANGE, linux/netfilter/ipset/ip_set_bitmap.h

# -- create -------------------------------------------------------------------


def form_of(kind: SetType, options: GivenOptions) -> Form:
    """What entries of the set look like. InvalidValueError where the options make no set."""
    usual = Family.IP6 if "-6" in options else Family.IP
    family = _FAMILIES.get(options.text("family"), usual)
    form = Form(kind, family, _mask(kind, family, options), options.number("markmask"))
    return replace(form, limits=_limits(form, options)) if kind.method == "bitmap" else form


def _mask(kind: SetType, family: Family, options: GivenOptions) -> int | None:
    length = options.number("netmask")
    full = (1 << family.address_bits) - 1
    if length is not None and length > family.address_bits:
        raise InvalidValueError(f"a netmask of at most {family.address_bits}", refused=True)
    if length is not None:
        return full ^ (full >> length)
    if "bitmask" in options:
        return address(options.text("bitmask"), family)
    return None


def _limits(form: Form, options: GivenOptions) -> tuple[int, int]:
    if "range" not in options:
        raise InvalidValueError("a range: a bitmap does not go without")
    if form.type.dimensions == (Dimension.PORT,):
        low, high = port_range(options.text("range").rpartition(":")[2])
    else:
        low, high = addresses(options.text("range"), form)
    if form.mask is not None:
        return low & form.mask, high | form.full & ~form.mask
    if high - low > MAX_BITMAP:
        raise InvalidValueError(f"a range of at most {MAX_BITMAP + 1} elements", refused=True)
    return low, high


# -- add ----------------------------------------------------------------------


def read_extras(
    line: CommandLine, target: OpenSet, form: Form, diagnostics: IpsetDiagnostics
) -> tuple[Form, Extras] | None:
    """What is said of an entry beside what it is; None, and a diagnostic, where it is refused."""
    options = read_options(line, 3, ADD_OPTIONS, form.type, diagnostics)
    if options is None:
        return None
    for name, index in options.words.items():
        needed = ADD_OPTIONS[name].needs
        if needed is not None and needed not in target.created_with:
            message = f"the set {target.name} was created without `{needed}`, so it takes no {name}"
            diagnostics.at(line, index, "IPT006", message)
            return None
    own = options.number("timeout")
    seconds = target.timeout if own is None else own
    counted = "packets" in options or "bytes" in options
    extras = Extras(
        "nomatch" in options,
        seconds or None,  # 0 means that the entry stays
        (options.number("packets") or 0, options.number("bytes") or 0) if counted else None,
        options.values.get("comment"),
    )
    return replace(form, wildcard=True) if "wildcard" in options else form, extras
