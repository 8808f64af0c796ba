"""Matches of what a packet carries: text, words of 32 bits, and programs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from iptlint.dialects.diagnostics import Fate, InvalidValueError
from iptlint.dialects.iptables.extensions import values
from iptlint.dialects.iptables.extensions.builders import (
    counts_as,
    joint,
    just_one,
    one_option,
    opt,
    row,
    spell,
    value_of,
)
from iptlint.dialects.iptables.extensions.row import Extension, ExtensionResult, Uses
from iptlint.dialects.uninterpreted import uninterpreted
from iptlint.model import AnyOf, Family, Match, Opaque
from iptlint.model.numbers import decimal, hexadecimal

_NUMBER = r"\+?(?:0[xX][0-9a-fA-F]+|[0-9]+)"
_U32_NUMBER = re.compile(_NUMBER)
_PLACE = rf"{_NUMBER}(?:(?:&|<<|>>|@){_NUMBER})*"
_RANGES = rf"{_NUMBER}(?::{_NUMBER})?(?:,{_NUMBER}(?::{_NUMBER})?)*"
_U32_TEST = re.compile(rf"{_PLACE}={_RANGES}")
_SHIFT = re.compile(rf"(?:<<|>>)({_NUMBER})")
_MOST_SHIFTED = 31


def u32(text: str, _: Family) -> str:
    """The tests of u32, numbers in hexadecimal and blanks left out."""
    plain = re.sub(r"\s+", "", text)
    if not all(map(_U32_TEST.fullmatch, plain.split("&&"))):
        raise InvalidValueError("tests such as 0&0xFFFF=0x100:0x1FF")
    if any(_u32_number(shift) > _MOST_SHIFTED for shift in _SHIFT.findall(plain)):
        raise InvalidValueError(f"a shift by at most {_MOST_SHIFTED} bits", fate=Fate.AT_COMMIT)
    return _U32_NUMBER.sub(lambda m: f"0x{_u32_number(m.group()):x}", plain)


def _u32_number(text: str) -> int:
    return values.integer(text, 0, 2**32 - 1)


_WORD = re.compile(r"0x([0-9a-f]+)(?:&0x([0-9a-f]+))?=((?:0x[0-9a-f]+(?::0x[0-9a-f]+)?,?)+)")
_LAST_OFFSET = 252  # a word of it ends at the last byte that nft can name
_ALL_BITS = 2**32 - 1


@dataclass(frozen=True, slots=True)
class HeaderWord:
    """32 bits of a packet, ``offset`` bytes from the header of IP on, and the numbers that those of
    ``mask`` may be. ``width``: of the 32 bits only the last are read, as a number."""

    offset: int
    mask: int
    spans: tuple[tuple[int, int], ...]
    width: int = 32

    @property
    def place(self) -> str:
        """In nft's words."""
        if self.width < 32:
            return f"@nh,{self.offset * 8 + 32 - self.width},{self.width}"
        masked = f" & {self.mask:#x} ==" if self.mask != _ALL_BITS else ""
        return f"@nh,{self.offset * 8},32{masked}"


def words_of_header(text: str) -> list[HeaderWord] | None:
    """The tests of u32; None where more is done than to read bits at a place."""
    words = [_word(test) for test in text.split("&&")]
    known = [word for word in words if word is not None]
    return known if len(known) == len(words) else None


def _word(test: str) -> HeaderWord | None:
    match = _WORD.fullmatch(test)
    if match is None or _number(match[1]) > _LAST_OFFSET:
        return None
    mask = _ALL_BITS if match[2] is None else _number(match[2])
    ends = [each.split(":") for each in match[3].split(",")]
    spans = tuple((_number(each[0]), _number(each[-1])) for each in ends)
    everything = any(low > high or (low, high) == (0, _ALL_BITS) for low, high in spans)
    single = all(low == high and not low & ~mask for low, high in spans) and mask > 0
    if everything or not (single or mask == _ALL_BITS):
        return _last_bits(_number(match[1]), mask, spans)
    return HeaderWord(_number(match[1]), mask, spans)


def _last_bits(offset: int, mask: int, spans: tuple[tuple[int, int], ...]) -> HeaderWord | None:
    """They are a number of their own, which a range can be asked of."""
    within = all(low <= high <= mask and (low, high) != (0, mask) for low, high in spans)
    if mask == 0 or mask & (mask + 1) or not within:
        return None
    return HeaderWord(offset, mask, spans, mask.bit_length())


def _number(digits: str) -> int:
    return hexadecimal(digits.removeprefix("0x")) or 0


def _lower_u32(uses: Uses, _: Family) -> ExtensionResult:
    """As nft asks for the same bits (xt_u32.c and nft_payload.c read them alike)."""
    (given,) = uses["u32"]
    words = words_of_header(str(given.values[0]))
    if words is None:
        return ExtensionResult((uninterpreted(f"u32 {spell(given)}", given.negated),))
    tests = tuple(map(_one_of, words))
    return ExtensionResult((AnyOf((tests,), True),) if given.negated else tests)


def _one_of(word: HeaderWord) -> Match:
    as_text = str if word.mask == _ALL_BITS or word.width < 32 else hex
    shown = ("-".join(dict.fromkeys(map(as_text, span))) for span in word.spans)
    tests = [Opaque(f"{word.place} {each}", kind="u32") for each in shown]
    return tests[0] if len(tests) == 1 else AnyOf(tuple((test,) for test in tests))


def _from_before_to(uses: Uses, _: Family) -> InvalidValueError | None:
    start, end = value_of(uses, "from"), value_of(uses, "to")
    if isinstance(start, int) and isinstance(end, int) and start > end:
        return InvalidValueError("a --from that is not above --to", fate=Fate.AT_COMMIT)
    return None


_INSTRUCTION = re.compile(r"\s*[+-]?([0-9]+)(?:\s+[+-]?[0-9]+){3}")
_RETURN = 6  # BPF_RET, of the last three bits
_MOST_INSTRUCTIONS = 64  # XT_BPF_MAX_NUM_INSTR (xt_bpf.h)


def _bytecode(text: str, _: Family) -> str:
    """``length,code jt jf k,…``, as `nfbpf_compile` prints it."""
    length, comma, rest = text.removesuffix(",").partition(",")
    instructions = rest.split(",")
    read = [_INSTRUCTION.match(each) for each in instructions]
    last = read[-1]
    if not (comma and all(read) and last and _length(length) == len(instructions)):
        raise InvalidValueError("so many instructions, and each of them after a comma")
    if (decimal(last[1]) or 0) & 7 != _RETURN:
        raise InvalidValueError("a program that ends with a return", fate=Fate.AT_COMMIT)
    if len(instructions) > _MOST_INSTRUCTIONS:
        raise InvalidValueError(f"at most {_MOST_INSTRUCTIONS} instructions", refused=True)
    return text


def _length(text: str) -> int | None:
    """As scanf(3) reads ``%hu``."""
    return decimal(text.lstrip().removeprefix("+"))


_STRING = opt("string", values.pattern, inv=True)


ROWS: tuple[Extension, ...] = (
    row(
        "string",
        opt("from", values.bits(16)),
        opt("to", values.bits(16)),
        opt("algo", values.exactly("bm", "kmp"), req=True),
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
        checks=(_from_before_to,),
    ),
    one_option("u32", "u32", u32, lower=_lower_u32),
    row(
        "bpf",
        opt("bytecode", _bytecode),
        opt("object-pinned", values.filled),
        lower=just_one("bytecode", "object-pinned", then=joint("bpf")),
    ),
)
