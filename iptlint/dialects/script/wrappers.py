"""Commands that have another one carried out: ``sudo``, ``timeout``, ``xargs`` and their like."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from iptlint.dialects.script.state import Run
from iptlint.dialects.script.symbolic_text import is_known
from iptlint.dialects.script.text_options import options
from iptlint.dialects.script.tool_calls import Call
from iptlint.model.numbers import decimal


def _sudo(call: Call) -> Call | None:
    at = 1
    while at < len(call.words) and call.words[at].startswith("-"):
        at += 2 if call.words[at] in ("-u", "-g", "-n") and call.words[at] != "-n" else 1
    while at < len(call.words) and re.match(r"\w+=", call.words[at]):
        at += 1
    return call.without(at)


def _plain(call: Call) -> Call | None:
    return _sudo(call)


def _exec(call: Call) -> Call | None:
    """What stands alone, or behind ``{fd}`` of a redirection, is no command."""
    return None if re.fullmatch(r"\{\w+\}", call.words[-1]) else _sudo(call)


def _command(call: Call) -> Call | None:
    if call.words[1:2] in (("-v",), ("-V",)):
        return Call(("which", *call.words[2:]), call.spans[1:], call.span, call.written)
    return _sudo(call)


def _with_number(call: Call) -> Call | None:
    """``timeout 5 …``, ``nice -n 10 …``."""
    wrapped = _sudo(call)
    while wrapped is not None and wrapped.words and re.fullmatch(_NUMBER, wrapped.words[0]):
        wrapped = wrapped.without(1)
    return wrapped


_NUMBER = r"[\d.]+[smhd]?"


WRAPPERS: dict[str, Callable[[Call], Call | None]] = {
    **dict.fromkeys(("sudo", "doas", "builtin", "nohup", "env", "time", "busybox"), _plain),
    **dict.fromkeys(("timeout", "nice", "ionice"), _with_number),
    "command": _command,
    "exec": _exec,
}
KEYWORDS = frozenset({"time"})
"""Behind it a function is called as without it; who else calls a command knows of none."""


# -- xargs -----------------------------------------------------------------------------------------

_MOST_CALLS = 1000


def calls_of_xargs(run: Run, call: Call) -> list[Call] | None:
    """The commands that it has carried out; None where that is not known."""
    at = 1
    while at < len(call.words) and call.words[at].startswith("-"):
        at += 2 if call.words[at] in ("-n", "-I", "-L", "-P", "-d") else 1
    given = options(call.words[1:at], "nILPd")
    text = run.stdin.text if run.stdin is not None and run.stdin.is_known else None
    if given is None or text is None or re.search(r"[\"'\\]", text) or "d" in given.values:
        return None
    own = call.without(at)
    if not own.words or not given.flags <= {"r", "t", "0"} or "0" in given.flags:
        return None
    each = decimal(given.values.get("n", given.values.get("L", "0")))
    holder = given.values.get("I")
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    groups = _groups(lines if holder or "L" in given.values else text.split(), each or 0)
    if len(groups) > _MOST_CALLS or not all(map(is_known, lines)):
        return None
    if holder is not None:
        return [_filled(own, holder, line) for line in lines]
    return [_with_more(own, group) for group in groups]


def _groups(words: Sequence[str], each: int) -> list[list[str]]:
    if not words:
        return []
    size = each or len(words)
    return [
        [piece for word in words[at : at + size] for piece in word.split()]
        for at in range(0, len(words), size)
    ]


def _filled(own: Call, holder: str, line: str) -> Call:
    return replace(own, words=tuple(word.replace(holder, line) for word in own.words))


def _with_more(own: Call, more: Sequence[str]) -> Call:
    return replace(own, words=(*own.words, *more), spans=(*own.spans, *(own.span,) * len(more)))
