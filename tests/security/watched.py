"""Runs iptlint and watches which files the process opens.

Reads commands from standard input, one JSON list of arguments a line, and prints for each a JSON
object: ``opened`` are the paths of all files opened that are not Python's or iptlint's own, and
``printed`` is what came out on both streams. An audit hook sees every ``open`` of the
interpreter, whoever calls it; each command runs in a process of its own. The one file that the
budget measures the memory of the process by is left out where it is the budget that opens it.
"""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing
import os
import sys
import sysconfig
import traceback
from pathlib import Path

import iptlint
from iptlint.cli import main
from iptlint.linter import budget

_OWN = (
    Path(iptlint.__file__).resolve().parents[1] / "iptlint",
    Path(iptlint.__file__).resolve().parents[1] / "grammars",
    *(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib")),
    Path(sys.base_prefix).resolve(),
)
_opened: list[str] = []


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
        path = os.path.abspath(os.fsdecode(arguments[0]))  # noqa: PTH100 - links stay
        if not (path == str(budget._PAGES) and _measures_memory()):
            _opened.append(path)


def _measures_memory() -> bool:
    measures = budget._resident.__code__
    return any(frame.f_code is measures for frame, _ in traceback.walk_stack(None))


def _is_own(path: str) -> bool:
    return any(Path(os.path.realpath(path)).is_relative_to(own) for own in _OWN)


def watched(line: str) -> str:
    _opened.clear()
    printed = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace")
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        with contextlib.suppress(SystemExit):
            main(json.loads(line))
        printed.flush()
    opened = sorted({path for path in _opened if not _is_own(path)})
    text = printed.detach().getvalue().decode()  # type: ignore[attr-defined]
    return json.dumps({"opened": opened, "printed": text})


if __name__ == "__main__":
    sys.addaudithook(_watch)
    with multiprocessing.get_context("fork").Pool(maxtasksperchild=10) as pool:
        for answer in pool.imap(watched, sys.stdin.read().splitlines()):
            print(answer, flush=True)  # noqa: T201 - what a worker inherits must be empty
