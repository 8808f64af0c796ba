"""What ``echo``, ``printf``, ``seq`` and ``expr`` print."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from iptlint.dialects.script.arithmetic_operators import BINARY
from iptlint.dialects.script.brace_expansion import MAX_BRACES
from iptlint.dialects.script.state import Result, Run
from iptlint.dialects.script.symbolic_text import is_known, mark, shown
from iptlint.dialects.script.tool_calls import Call
from iptlint.model.numbers import c_number, decimal, signed
from iptlint.source import SourceFile


def other(run: Run, call: Call) -> Result:
    """Nobody knows what it prints, and whether it succeeds."""
    run.write(mark(f"$({shown(' '.join(call.words))})"), call.span)
    return Result(None)


def seq(run: Run, call: Call) -> Result:
    words = list(call.words[1:])
    wide = words[:1] == ["-w"]
    separator = "\n"
    if words and words[0].startswith("-s"):
        separator = words.pop(0)[2:] or (words.pop(0) if words else "")
    del words[: 1 if wide else 0]
    given = [signed(word) for word in words]
    numbers = [number for number in given if number is not None]
    if len(numbers) != len(given) or not 1 <= len(given) <= 3:
        return other(run, call)
    first, step, last = {1: (1, 1), 2: (numbers[0], 1), 3: tuple(numbers[:2])}[len(given)] + (
        numbers[-1],
    )
    counted = range(first, last + (1 if step > 0 else -1), step) if step else ()
    if len(counted) > MAX_BRACES:
        return other(run, call)
    width = max(map(len, words)) if wide else 0
    lines = [str(number).zfill(width) for number in counted]
    run.write(separator.join(lines) + "\n" if lines else "", call.span)
    return Result()


def echo(run: Run, call: Call) -> Result:
    """bash prints backslashes as they are, unless ``-e`` says otherwise; other shells do not."""
    words = list(call.words[1:])
    end, escapes = "\n", is_of_sh(run.main)
    while words and re.fullmatch(r"-[neE]+", words[0]):
        end = "" if "n" in words[0] else end
        escapes |= "e" in words[0]
        words.pop(0)
    text = " ".join(words)
    run.write((escaped(text) if escapes else text) + end, call.span)
    return Result()


def is_of_sh(source: SourceFile) -> bool:
    """Whether its first line names the shell of POSIX, as dash is."""
    return _OF_SH.match(source.text) is not None


_OF_SH = re.compile(r"#!\s*(?:/usr)?/bin/(?:env\s+)?(?:da|a)?sh\b")
_ESCAPE = re.compile(r"\\(?:0([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "a": "\a", "e": "\x1b", "0": ""}


def escaped(text: str) -> str:
    """With the characters in the place of their escapes."""

    def character(found: re.Match[str]) -> str:
        number = c_number(f"0{found[1]}" if found[1] else f"0x{found[2]}")
        if number is not None and not found[3]:
            return chr(number & 0xFF)
        return _ESCAPED.get(found[3], found[0])

    return _ESCAPE.sub(character, text)


def printf(run: Run, call: Call) -> Result:
    words = list(call.words[1:])
    variable = None
    if words[:1] == ["-v"] and len(words) > 1:
        variable = words[1]
        del words[:2]
    if words[:1] == ["--"]:
        del words[0]
    if not words:
        return Result(1)
    text = "".join(_formatted(words[0], words[1:]))
    if variable is not None:
        run.environment.set(variable, text)
    else:
        run.write(text, call.span)
    return Result()


_DIRECTIVE = re.compile(r"%%|%([-0+ ]*)([0-9]*)(?:\.([0-9]+))?([a-zA-Z])|\\.|[^%\\]+|.", re.DOTALL)


def _formatted(form: str, values: Sequence[str]) -> Iterator[str]:
    """The form once, and again as long as there are values."""
    rest = list(values)
    while True:
        before = len(rest)
        for piece in _DIRECTIVE.finditer(form):
            if piece[4] is None:
                yield "%" if piece[0] == "%%" else escaped(piece[0]) if is_known(form) else piece[0]
                continue
            yield _converted(piece, rest.pop(0) if rest else "")
        if not rest or len(rest) == before:
            return


def _converted(piece: re.Match[str], value: str) -> str:
    flags, width, precision, kind = piece[1], decimal(piece[2] or "0") or 0, piece[3], piece[4]
    unknown = mark(f"$(printf {piece[0]})")
    if width > _WIDEST:
        return unknown
    if kind in "sb":
        if not is_known(value):
            return unknown if piece[2] or precision else value
        text = escaped(value) if kind == "b" else value
        text = text if precision is None else text[: decimal(precision)]
    elif kind in "diuxXo" and precision is None:
        if not is_known(value):
            return value if kind in "diu" and not piece[2] else unknown
        number = signed(value) if value else 0
        if number is None or (number < 0 and kind not in "di"):
            return unknown
        text = format(number, {"i": "d", "u": "d"}.get(kind, kind))
    else:
        return unknown
    if "-" in flags:
        return text.ljust(width)
    return text.zfill(width) if "0" in flags and kind not in "sb" else text.rjust(width)


_WIDEST = 100


def expr(run: Run, call: Call) -> Result:
    """A sum or a comparison of two; what else it may be is not worked out."""
    words = call.words[1:]
    numbers = [signed(word) for word in words[::2]]
    sign = words[1] if len(words) == 3 else ""
    operator = BINARY.get("==" if sign == "=" else sign)
    first, second = numbers if len(numbers) == 2 else (None, None)
    if operator is None or first is None or second is None or sign not in _OF_EXPR:
        return other(run, call)
    if sign in ("/", "%") and second == 0:
        return Result(2)
    value = operator.result(first, second, skips=False)
    run.write(f"{value}\n", call.span)
    return Result(1 if value == 0 else 0)


_OF_EXPR = frozenset({"+", "-", "*", "/", "%", "=", "!=", "<", "<=", ">", ">="})
