"""The same rules of nft in its other language: text as JSON, JSON as text; read again, and
compared rule by rule."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from iptlint.convert.formatting import rules_of
from iptlint.dialects import Reading, read
from iptlint.dialects.nft.execute import execute
from iptlint.dialects.nft.tree import Command, NftFile
from iptlint.dialects.nft.writing.nodes import lines_of_block
from iptlint.dialects.nft.writing.values import NoFormError
from iptlint.dialects.nft_json.listing import listing
from iptlint.model import Ruleset
from iptlint.source import SourceFile

Lost = tuple[str, int, str]
"""The path and the line of what has no form in the other language, and why."""


@dataclass(frozen=True, slots=True)
class Translated:
    """``objection``: why the new text is not to be trusted; empty where it is proved to say all
    but what is ``lost``."""

    text: str
    lost: tuple[Lost, ...] = ()
    objection: str = ""

    @property
    def holds(self) -> bool:
        return not (self.lost or self.objection)


def to_json(reading: Reading) -> Translated:
    """The listing that `nft -j list ruleset` would print of the text's rules, once its commands
    are carried out."""
    assert isinstance(reading.tree, NftFile)
    made = listing(reading.tree, execute(reading.tree).tables)
    lost = tuple((source.path, source.line_of(at), why) for source, at, why in made.lost)
    text = json.dumps({"nftables": made.entries}, indent=1) + "\n"
    return Translated(text, lost, "" if lost else _objection(reading, text))


def to_text(reading: Reading) -> Translated:
    """The rules of the JSON as text, one block for each table."""
    assert isinstance(reading.tree, NftFile)
    lines: list[str] = []
    lost: list[Lost] = []
    for item in reading.tree.items:
        try:
            lines += [*_printable(_command(item))] if isinstance(item, Command) else []
        except NoFormError as error:
            lost.append((reading.ruleset.source.path, 1, str(error)))
    text = "".join(f"{line}\n" for line in lines)
    return Translated(text, tuple(lost), "" if lost else _objection(reading, text))


def _command(command: Command) -> Iterator[str]:
    if command.verb == "flush":
        yield " ".join(filter(None, ("flush ruleset", command.family)))
    else:
        yield from lines_of_block(command)


def _printable(lines: Iterable[str]) -> Iterator[str]:
    """JSON may name a table anything; nft's text may not, and a terminal would act upon it."""
    for line in lines:
        if not line.replace("\t", "").isprintable():
            raise NoFormError("a name holds what cannot be printed")
        yield line


# -- the proof ------------------------------------------------------------------------------------


def _objection(old: Reading, text: str) -> str:
    new = read(SourceFile("<converted>", text))
    for diagnostic in new.diagnostics:
        if diagnostic.severity == "error":
            return f"the new text would not be read: {diagnostic.message}"
    before, after = _said(old.ruleset), _said(new.ruleset)
    if before == after:
        return ""
    unlike = next((one for one, other in zip(before, after, strict=False) if one != other), "")
    return f"the new text would say something else of {unlike[:80] or 'a chain'}"


def _said(ruleset: Ruleset) -> list[str]:
    """What each chain says; of numbers and texts, not how they are written."""
    return sorted(
        _QUOTES.sub("", _HEXADECIMAL.sub(_decimal, str(each))) for each in rules_of(ruleset)
    )


_HEXADECIMAL = re.compile(r"\b0x[0-9a-f]+\b")
_QUOTES = re.compile(r"\\?[\"']")


def _decimal(match: re.Match[str]) -> str:
    return str(int(match[0], 16))
