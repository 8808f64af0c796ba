"""Matches of what a packet carries: text, words of 32 bits, and programs."""

from __future__ import annotations

import re

from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.dialects.iptables.extensions import values
from iptlint.dialects.iptables.extensions.builders import (
    counts_as,
    joint,
    just_one,
    one_option,
    opt,
    row,
)
from iptlint.dialects.iptables.extensions.row import Extension
from iptlint.model import Family

_U32_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|[0-9]+")


def u32(text: str, _: Family) -> str:
    """The tests of u32, numbers in hexadecimal and blanks left out."""
    plain = re.sub(r"\s+", "", text)
    if not re.fullmatch(r"[0-9a-fA-FxX&<>@=:,]+", plain) or "=" not in plain:
        raise InvalidValueError("tests such as 0&0xFFFF=0x100:0x1FF")
    return _U32_NUMBER.sub(lambda m: f"0x{_u32_number(m.group()):x}", plain)


def _u32_number(text: str) -> int:
    return values.integer(text, 0, 2**32 - 1)


_STRING = opt("string", values.pattern, inv=True)


ROWS: tuple[Extension, ...] = (
    row(
        "string",
        opt("from", values.bits(16)),
        opt("to", values.bits(16)),
        opt("algo", values.one_of("bm", "kmp"), req=True),
        _STRING,
        opt("hex-string", values.hex_pattern, inv=True),
        opt("icase"),
        lower=just_one(
            "string",
            "hex-string",
            then=counts_as(
                "hex-string",
                _STRING[0],
                then=joint("string", "string", defaults=("--from 0", "--to 65535")),
            ),
        ),
    ),
    one_option("u32", "u32", u32),
    row(
        "bpf",
        opt("bytecode", values.filled),
        opt("object-pinned", values.filled),
        lower=just_one("bytecode", "object-pinned", then=joint("bpf")),
    ),
)
