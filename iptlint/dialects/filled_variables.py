"""Variables of a text of nft that a script beside it fills in before nft reads the text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from glob import escape
from pathlib import PurePosixPath

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.files import Files, NoFileError
from iptlint.source import SourceFile

_PROGRAMS = re.compile(r"(?<![\w.-])(?:sed|envsubst|perl)(?![\w.-])")
_VARIABLE = re.compile(r"\$\w+")
_MOST_OF_A_SCRIPT = 2**18


def without_filled(
    source: SourceFile, diagnostics: Iterable[Diagnostic], files: Files
) -> Iterator[Diagnostic]:
    """Without what is said of them: nft never sees them, and it is said who fills them in."""
    scripts: dict[str, str] | None = None
    for each in diagnostics:
        name = (each.source or source).text[each.start : each.end]
        if not each.alone or each.code != "IPT001" or not _VARIABLE.fullmatch(name):
            yield each
            continue
        scripts = _scripts_of(each.source or source, files) if scripts is None else scripts
        filling = next((path for path, text in scripts.items() if _fills(text, name)), None)
        if filling is None:
            yield each
        else:
            message = f"{PurePosixPath(filling).name} fills this in before nft reads it"
            advice = "check what comes of it, too: what it stands for is not known here"
            yield replace(each, code="IPT002", severity="info", message=message, help=advice)


def _scripts_of(source: SourceFile, files: Files) -> dict[str, str]:
    """Those beside the text that name it, by their paths."""
    path = PurePosixPath(files.own_path(source.path))
    name = re.compile(rf"(?<![\w.-]){re.escape(path.name)}(?![\w.-])")
    beside = files.matching(f"{escape(str(path.parent))}/*.sh")
    texts = {each: _text(files, each) for each in beside}
    return {each: text for each, text in texts.items() if name.search(text)}


def _text(files: Files, path: str) -> str:
    try:
        text = files.read(path)[:_MOST_OF_A_SCRIPT].decode(errors="replace")
    except NoFileError:
        return ""
    return text.replace("\\\n", " ")


def _fills(text: str, variable: str) -> bool:
    """Whether a line has the variable, and a program that puts values in; envsubst takes those of
    the environment."""
    name = re.compile(rf"\$(?:\{{{variable[1:]}\}}|{variable[1:]}(?!\w))")
    made = re.compile(rf"(?<!\w){variable[1:]}=")
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    programs = [(line, found[0]) for line in lines if (found := _PROGRAMS.search(line))]
    return any(
        name.search(line) or (program == "envsubst" and made.search(text))
        for line, program in programs
    )
