"""The rows of ``nft-rules.tsv`` as commands that nft takes."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
WHY_SKIPPED = "the corpus is not here: its licences keep it out of the project"


@dataclass(frozen=True)
class Row:
    """``table`` has its family before it."""

    suite: str
    place: str
    table: str
    chain: str
    kind: str
    text: str
    command: str
    suite_expects: str
    got: str
    error: str


def rows() -> Iterator[Row]:
    with (CORPUS / "nft-rules.tsv").open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            table = f"{line['family']} {line['table']}"
            command = _COMMANDS[line["kind"]](table, line["chain"], line["input"])
            yield Row(
                line["suite"],
                line["file"],
                table,
                line["chain"],
                line["kind"],
                line["input"],
                command,
                line["suite_expects"],
                line["got"],
                line["error"],
            )


def _rule(table: str, chain: str, text: str) -> str:
    return f"add rule {table} {chain} {text}"


def _set(table: str, _: str, text: str) -> str:
    name, definition = re.fullmatch(r"!(\S+) (.*)", text).groups()
    kind = "map" if " : " in definition else "set"
    parts = re.split(r" (?=timeout |flags )", definition)
    return f"add {kind} {table} {name} {{ {'; '.join(parts)}; }}"


def _element(table: str, _: str, text: str) -> str:
    name, elements = re.fullmatch(r"\?(\S+) (.*)", text).groups()
    return f"add element {table} {name} {{ {elements} }}"


def _object(table: str, _: str, text: str) -> str:
    name, kind, rest = re.fullmatch(r"%(\S+) type (ct \w+|\w+) ?(.*)", text).groups()
    return f"add {kind} {table} {name} {rest}"


_COMMANDS = {"rule": _rule, "set": _set, "elem": _element, "obj": _object}
