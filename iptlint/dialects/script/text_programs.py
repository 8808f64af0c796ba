"""The short programs for sed and awk that people write in scripts; no others are worked out."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from iptlint.dialects.script.regular import Regular, regular
from iptlint.dialects.script.text_options import Options
from iptlint.model.numbers import decimal

Lines = list[str]
Answer = tuple[Lines, int]

_ADDRESS = r"(?P<address>[0-9]+|\$|/(?:[^/\\]|\\.)*/)?(?P<not>!?)"
_SUBSTITUTE = re.compile(
    _ADDRESS + r"s(?P<sign>[^\w\s\\])(?P<old>(?:(?!(?P=sign))[^\\]|\\.)*)(?P=sign)"
    r"(?P<new>(?:(?!(?P=sign))[^\\]|\\.)*)(?P=sign)(?P<flags>[gIp]*)"
)
_PICK = re.compile(_ADDRESS + r"(?P<what>[dpq])")


@dataclass(frozen=True, slots=True)
class _Step:
    """``chosen``: which lines it is for; ``change`` makes another line of one, None takes it out.
    ``prints``: it prints the line once more, as it is or as it becomes, if it does."""

    chosen: Callable[[int, str, bool], bool]
    change: Callable[[str], str | None]
    prints: bool = False
    changed: bool = False


def sed(given: Options, lines: Lines) -> Answer | None:
    program = given.values.get("e") or (given.operands[0] if given.operands else "")
    if not given.flags <= {"n", "E", "r"}:
        return None
    extended = bool(given.flags & {"E", "r"})
    steps = [_step(part.strip(), extended) for part in _parts(program)]
    if not steps or None in steps:
        return None
    printed: Lines = []
    for number, line in enumerate(lines, 1):
        kept: str | None = line
        for step in (step for step in steps if step is not None):
            if kept is None or not step.chosen(number, kept, number == len(lines)):
                continue
            before, kept = kept, step.change(kept)
            if step.prints and kept is not None and (not step.changed or kept != before):
                printed.append(kept)
        if kept is not None and "n" not in given.flags:
            printed.append(kept)
    return printed, 0


def _parts(program: str) -> list[str]:
    """The commands; a sign between them that is in one of them leaves none that is read."""
    return [part for part in re.split(r"[;\n]", program) if part.strip()]


def _step(text: str, extended: bool) -> _Step | None:
    match = _SUBSTITUTE.fullmatch(text) or _PICK.fullmatch(text)
    if match is None:
        return None
    chosen = _chosen(match["address"] or "", extended, is_not=bool(match["not"]))
    if chosen is None:
        return None
    if match.re is _PICK:
        if match["what"] == "q":
            return None
        if match["what"] == "p":
            return _Step(chosen, lambda line: line, prints=True)
        return _Step(chosen, lambda _: None)
    sign = match["sign"]
    old = match["old"].replace(f"\\{sign}", sign)
    found = regular(old, extended=extended, ignore_case="I" in match["flags"])
    new = match["new"].replace(f"\\{sign}", sign)
    if found is None or found.chooses or not old or re.search(r"\\[^0-9&\\./,:-]", new):
        return None
    everywhere = "g" in match["flags"]
    prints = "p" in match["flags"]
    if prints and "&" in new:
        return None  # it may put in what was there, and prints that, too
    return _Step(
        chosen,
        lambda line: _substituted(found, new, line, everywhere=everywhere),
        prints,
        changed=True,
    )


def _substituted(found: Regular, new: str, line: str, *, everywhere: bool) -> str:
    if found.search(line) is None:
        return line

    def made(match: re.Match[str]) -> str:
        def put(piece: re.Match[str]) -> str:
            if piece[0] == "&":
                return match[0]
            number = decimal(piece[0][1:])
            return piece[0][1:] if number is None else match[number] or ""

        return re.sub(r"\\.|&", put, new)

    try:
        return found.pattern.sub(made, line, count=0 if everywhere else 1)
    except IndexError:
        raise LookupError from None


def _chosen(
    address: str, extended: bool, *, is_not: bool
) -> Callable[[int, str, bool], bool] | None:
    if not address:
        return lambda *_: not is_not
    if address == "$":
        return lambda _number, _line, last: last is not is_not
    number = decimal(address)
    if number is not None:
        return lambda at, _line, _last: (at == number) is not is_not
    found = regular(address[1:-1].replace("\\/", "/"), extended=extended)
    if found is None:
        return None
    return lambda _number, line, _last: (found.search(line) is not None) is not is_not


# -- awk -------------------------------------------------------------------------------------------

_AWK = re.compile(
    r"\s*(?:(?P<not>!?)/(?P<pattern>(?:[^/\\]|\\.)*)/|NR\s*==\s*(?P<line>[0-9]+))?\s*"
    r"(?:\{\s*print(?P<what>[^{};]*);?\s*\})?\s*"
)
_PRINTED = re.compile(r'(?<!\s)\s*(?:\$(?P<field>[0-9]+|NF)|"(?P<text>[^"\\]*)"|(?P<comma>,))')


def awk(given: Options, lines: Lines) -> Answer | None:
    """``/pattern/ { print $1, $2 }``."""
    program = _AWK.fullmatch(given.operands[0]) if given.operands else None
    separator = given.values.get("F", " ")
    if program is None or given.flags or "v" in given.values:
        return None
    if len(separator) != 1 or separator in "\\|" or not (program[0].strip()):
        return None
    pattern = None if program["pattern"] is None else regular(program["pattern"])
    if program["pattern"] is not None and pattern is None:
        return None
    wanted = decimal(program["line"] or "")
    printed: Lines = []
    for number, line in enumerate(lines, 1):
        fits = pattern is None or (pattern.search(line) is not None) is not bool(program["not"])
        if fits and wanted in (None, number):
            text = _printed(program["what"] or "", line, separator)
            if text is None:
                return None
            printed.append(text)
    return printed, 0


def _printed(what: str, line: str, separator: str) -> str | None:
    fields = line.split() if separator == " " else line.split(separator)
    if not what.strip() or what.strip() == "$0":
        return line
    made, at = "", 0
    for piece in _PRINTED.finditer(what):
        if piece.start() != at:
            return None
        at = piece.end()
        if piece["field"]:
            number = len(fields) if piece["field"] == "NF" else decimal(piece["field"]) or 0
            made += line if number == 0 else fields[number - 1] if number <= len(fields) else ""
        else:
            made += " " if piece["comma"] else piece["text"]
    return made if not what[at:].strip() else None
