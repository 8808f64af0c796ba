"""Programs that make text of text: cut, tr, sort, head … of what is known.

What is not known of their input, and options that are not read here, leave their output unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from iptlint.dialects.script.files import read_beside
from iptlint.dialects.script.generated_text import TextPart
from iptlint.dialects.script.regular import Regular, literal, regular
from iptlint.dialects.script.state import Result, Run
from iptlint.dialects.script.symbolic_text import is_known
from iptlint.dialects.script.text_options import Options, options
from iptlint.dialects.script.tool_calls import Call
from iptlint.model.numbers import decimal, is_decimal, signed

Lines = list[str]
Answer = tuple[Lines, int]
"""What is printed, and the status."""

Work = Callable[[Options, Lines], Answer | None]
"""None where that is not known."""


def text_tool(run: Run, call: Call) -> Result | None:
    """What the program prints; None where that is not worked out here."""
    name = call.words[0].rsplit("/", 1)[-1]
    if name not in _TOOLS or not all(map(is_known, call.words)):
        return None
    with_value, work, operands = _TOOLS[name]
    given = options(call.words[1:], with_value)
    text = None if given is None else _input(run, call, _files(given, operands))
    if given is None or text is None or len(text) > _LONGEST:
        return None
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    try:
        answer = work(given, lines)
    except LookupError:  # it may take too long
        return None
    if answer is None:
        return None
    run.write("".join(f"{line}\n" for line in answer[0]), call.span)
    return Result(answer[1])


_LONGEST = 100_000


def _files(given: Options, operands: int) -> Sequence[str]:
    """What stands behind the program, or the pattern, if that is no option (``-e``)."""
    return given.operands[0 if operands == 1 and "e" in given.values else operands :]


def _input(run: Run, call: Call, files: Sequence[str]) -> str | None:
    parts: list[TextPart] = []
    if not files or files == ("-",):
        if run.stdin is None or not run.stdin.is_known:
            return None
        return run.stdin.text
    for file in files:
        read = read_beside(run, file, call.span)
        if read is None:
            return None
        parts += read
    text = "".join(part.text for part in parts)
    return text if is_known(text) and not any(part.conditions for part in parts) else None


# -- parts of lines ----------------------------------------------------------------------------


def _cut(given: Options, lines: Lines) -> Answer | None:
    if given.flags:
        return None
    listed = given.values.get("f") or given.values.get("c") or ""
    chosen = [_range(each) for each in listed.split(",")]
    if None in chosen or len(given.values.keys() & {"f", "c"}) != 1:
        return None
    spans = [span for span in chosen if span is not None]
    delimiter = given.values.get("d", "\t") if "f" in given.values else ""
    return [_cut_line(line, delimiter, spans) for line in lines], 0


def _range(text: str) -> tuple[int, int] | None:
    first, dash, last = text.partition("-")
    start = decimal(first or "1")
    end = decimal(last) if last else None if dash else start
    if start is None or start == 0 or (last and end is None) or text in ("", "-"):
        return None
    return start, _ALL if end is None else end


_ALL = 1 << 30


def _cut_line(line: str, delimiter: str, spans: Sequence[tuple[int, int]]) -> str:
    if delimiter and delimiter not in line:
        return line
    fields = line.split(delimiter) if delimiter else [*line]
    kept = (f for n, f in enumerate(fields, 1) if any(a <= n <= b for a, b in spans))
    return delimiter.join(kept)


def _tr(given: Options, lines: Lines) -> Answer | None:
    sets = [_signs(each) for each in given.operands]
    if None in sets or not given.flags <= {"d", "s"} or not 1 <= len(sets) <= 2:
        return None
    if (len(sets) == 1) is not bool(given.flags) and given.flags != {"s"}:
        return None
    first, *others = (each for each in sets if each is not None)
    text = "".join(f"{line}\n" for line in lines)
    if given.flags == {"d"}:
        text = "".join(sign for sign in text if sign not in first)
    if others:
        padded = others[0].ljust(len(first), others[0][-1:])
        text = text.translate({ord(a): b for a, b in zip(first, padded, strict=False)})
    if given.flags == {"s"}:
        text = re.sub(f"([{re.escape((first, *others)[-1])}])\\1+", r"\1", text)
    return text.removesuffix("\n").split("\n") if text else [], 0


_SIGN_CLASSES = {
    "upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "lower": "abcdefghijklmnopqrstuvwxyz",
    "digit": "0123456789",
    "space": " \t\n\r\v\f",
    "blank": " \t",
}
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
_IN_SIGNS = re.compile(r"\[:(\w+):\]|\\(.)|(.)-(.)|(.)", re.DOTALL)


def _signs(text: str) -> str | None:
    """The characters of a set of `tr`, in their order."""
    made = ""
    for name, escaped, first, last, plain in _IN_SIGNS.findall(text):
        if name or escaped:
            known = _SIGN_CLASSES.get(name) if name else _ESCAPED.get(escaped)
            if known is None:
                return None
            made += known
        elif first:
            made += "".join(map(chr, range(ord(first), ord(last) + 1)))
        else:
            made += plain
    return made


# -- lines ---------------------------------------------------------------------------------------


def _sort(given: Options, lines: Lines) -> Answer | None:
    if not given.flags <= {"n", "u", "r"} or given.values:
        return None
    reverse = "r" in given.flags
    if "n" in given.flags:
        if not all(map(is_decimal, lines)):
            return None
        lines = sorted(lines, key=lambda line: signed(line) or 0, reverse=reverse)
    elif all(re.fullmatch(r"[a-z]*", e) for e in lines) or all(map(is_decimal, lines)):
        lines = sorted(lines, reverse=reverse)
    else:
        return None  # the order of other signs is the language's
    return list(dict.fromkeys(lines)) if "u" in given.flags else lines, 0


def _uniq(given: Options, lines: Lines) -> Answer | None:
    return None if given.flags else ([line for line, _ in groupby(lines)], 0)


def _count_of(given: Options, letter: str) -> str | None:
    numbers = [flag for flag in given.flags if is_decimal(flag)]
    rest = given.flags - {*numbers}
    if rest or len(numbers) + len(given.values) > 1:
        return None
    return numbers[0] if numbers else given.values.get(letter, "10")


def _head(given: Options, lines: Lines) -> Answer | None:
    count = _count_of(given, "n")
    number = None if count is None else signed(count)
    return None if number is None else (lines[:number], 0)


def _tail(given: Options, lines: Lines) -> Answer | None:
    count = _count_of(given, "n")
    number = None if count is None else decimal(count.lstrip("+-"))
    if count is None or number is None:
        return None
    from_there = count.startswith("+")
    start = max(number - 1, 0) if from_there else max(len(lines) - number, 0)
    return lines[start:], 0


def _wc(given: Options, lines: Lines) -> Answer | None:
    if given.operands or len(given.flags) != 1:
        return None
    text = "".join(f"{line}\n" for line in lines)
    counts = {"l": len(lines), "w": len(text.split()), "c": len(text.encode())}
    (flag,) = given.flags
    return ([str(counts[flag])], 0) if flag in counts else None


def _paste(given: Options, lines: Lines) -> Answer | None:
    delimiter = given.values.get("d", "\t")
    if given.flags != {"s"} or len(delimiter) != 1:
        return None
    return [delimiter.join(lines)], 0


def _tac(given: Options, lines: Lines) -> Answer | None:
    return None if given.flags else (lines[::-1], 0)


# -- grep ----------------------------------------------------------------------------------------


def _grep(given: Options, lines: Lines) -> Answer | None:
    return _search(given, lines, extended="E" in given.flags)


def _egrep(given: Options, lines: Lines) -> Answer | None:
    return _search(given, lines, extended=True)


def _fgrep(given: Options, lines: Lines) -> Answer | None:
    return _search(given, lines, extended=True, plain=True)


def _search(given: Options, lines: Lines, *, extended: bool, plain: bool = False) -> Answer | None:
    flags = given.flags
    text = given.values.get("e") or (given.operands[0] if given.operands else "")
    known = {*"EFqvicowx", "s"}
    if not flags <= known or not text:
        return None
    if plain or "F" in flags:
        text, extended = literal(text), True
    read = [regular(each, extended=extended, ignore_case="i" in flags) for each in text.split("\n")]
    found = [each for each in read if each is not None]
    single = len(read) == 1 and not found[0].chooses if found else False
    if len(found) < len(read) or ("o" in flags and ("v" in flags or not single)):
        return None
    fitting = [
        line
        for line in lines
        if any(_fits(each, line, flags) for each in found) is not ("v" in flags)
    ]
    status = 0 if fitting else 1
    if "q" in flags:
        return [], status
    if "c" in flags:
        return [str(len(fitting))], status
    return (_only(found[0], fitting) if "o" in flags else fitting), status


def _fits(found: Regular, line: str, flags: Iterable[str]) -> bool:
    match = found.search(line)
    if match is None or not {*flags} & {"w", "x"}:
        return match is not None
    matches = found.pattern.finditer(line)
    if "x" in flags:
        return any(each[0] == line for each in matches)
    return any(not _touches(line, each) for each in matches)


def _touches(line: str, match: re.Match[str]) -> bool:
    """Whether it is a part of a longer word."""
    before, behind = line[: match.start()][-1:], line[match.end() :][:1]
    return bool(re.match(r"\w", before) or re.match(r"\w", behind))


def _only(found: Regular, lines: Lines) -> Lines:
    return [each[0] for line in lines for each in found.pattern.finditer(line) if each[0]]


# -- the first word is the program -----------------------------------------------------------------


def _sed(given: Options, lines: Lines) -> Answer | None:
    from iptlint.dialects.script.text_programs import sed

    return sed(given, lines)


def _awk(given: Options, lines: Lines) -> Answer | None:
    from iptlint.dialects.script.text_programs import awk

    return awk(given, lines)


_TOOLS: dict[str, tuple[str, Work, int]] = {
    "cut": ("dfcb", _cut, 0),
    "tr": ("", _tr, 2),
    "sort": ("kt", _sort, 0),
    "uniq": ("", _uniq, 0),
    "head": ("nc", _head, 0),
    "tail": ("nc", _tail, 0),
    "wc": ("", _wc, 0),
    "paste": ("d", _paste, 0),
    "tac": ("", _tac, 0),
    "grep": ("em", _grep, 1),
    "egrep": ("em", _egrep, 1),
    "fgrep": ("em", _fgrep, 1),
    "sed": ("e", _sed, 1),
    "awk": ("Fv", _awk, 1),
    "gawk": ("Fv", _awk, 1),
    "mawk": ("Fv", _awk, 1),
}
"""The letters of the options that take a word, what the program does, and how many words stand
before the names of files."""
