"""What the mutants of iptables-save files are made of: tables that all tools take as they are."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
CORPUS = ROOT.parent / "shared" / "corpus"
FAMILIES = {"ip": ("*.v4", "iptables"), "ip6": ("*.v6", "ip6tables")}
"""By family: the fixtures' names, and the directory of the corpus."""

_MOST_CHAINS, _MOST_RULES = 40, 12


@dataclass(frozen=True, slots=True)
class Seed:
    """A short ruleset: ``lines`` of one to four tables. ``path``: where they are from."""

    family: str
    path: str
    lines: tuple[str, ...]


def seeds(family: str, chance: random.Random) -> Iterator[Seed]:
    """Without end, from the fixtures, the files of the corpus and its single rules in turn."""
    sources = [source for source in (_files(family), _corpus(family), _rules(family)) if source]
    while True:
        path, text = chance.choice(chance.choice(sources))
        seed = Seed(family, path, tuple(_shortened(text, chance)))
        if seed.lines:
            yield seed


Texts = tuple[tuple[str, str], ...]


@cache
def _files(family: str) -> Texts:
    return _read(sorted((ROOT / "fixtures").rglob(FAMILIES[family][0])))


@cache
def _corpus(family: str) -> Texts:
    directory = CORPUS / FAMILIES[family][1] / "valid"
    return _read(sorted(directory.iterdir())) if directory.is_dir() else ()


def _read(paths: list[Path]) -> Texts:
    return tuple((str(path), path.read_text(errors="surrogateescape")) for path in paths)


@cache
def _rules(family: str) -> Texts:
    """Single rules of the tools' own tests, each in a table of its own."""
    table = CORPUS / "iptables-rules.tsv"
    if not table.is_file():
        return ()
    heads, *rows = (line.split("\t") for line in table.read_text().splitlines())
    named = (dict(zip(heads, row, strict=True)) for row in rows)
    return tuple(
        (row["file"], f"*{row['table']}\n-A {row['chains'].split(',')[0]} {row['rule']}\nCOMMIT\n")
        for row in named
        if row["tool"] == FAMILIES[family][1] and row["legacy_result"] == "accept"
    )


_TABLE = re.compile(r"^\*.*?^COMMIT$", re.MULTILINE | re.DOTALL)


def _shortened(text: str, chance: random.Random) -> Iterator[str]:
    """The tables, each with its chains and some of its rules in a row."""
    for block in _TABLE.findall(text)[:4]:
        lines = [line for line in block.split("\n") if line and not line.startswith("#")]
        heads = [line for line in lines[1:] if line.startswith(":")][:_MOST_CHAINS]
        rules = [line for line in lines[1:-1] if not line.startswith(":")]
        first = chance.randrange(max(1, len(rules) - _MOST_RULES + 1))
        yield from (lines[0], *heads, *rules[first : first + _MOST_RULES], lines[-1])


@cache
def all_words(family: str) -> tuple[str, ...]:
    """Every word of every rule, as often as it is met."""
    rules = _rules(family) * 5 + _files(family)
    texts = (line for _, text in rules for line in text.split("\n") if line.startswith("-A"))
    return tuple(word for line in texts for word in words(line))


def words(line: str) -> list[str]:
    return re.findall(r'"(?:[^"\\]|\\.)*"|\S+', line)
