"""Scripts do what iptlint believes of them: the same commands, the same of which fail, and what
they leave is the same.

Each file of ``scripts/`` is named by what it shows; random ones nest the same idioms.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from iptlint.dialects import Reader, read
from iptlint.dialects.iptables.syntax import IPTABLES
from iptlint.dialects.script.lower import run_script
from iptlint.dialects.script.parser import parse
from iptlint.dialects.script.steps import Script, Step
from iptlint.model import Chain, Family, Ruleset, Table
from iptlint.source import SourceFile
from tests.dialects.script.test_script_against_kernel import Told, single
from tests.kernel.script_writer import written
from tests.kernel.shells import Ran, arguments, run

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.sh"))
SEEDS = 12
_LONG = 600
_OWN = ("filter", "nat", "mangle", "raw", "security")

Chains = dict[str, tuple[str | None, list[Told]]]


def believed(script: Path) -> Script:
    """On a host that has no rules yet."""
    text = script.read_text("utf-8")
    nothing = Ruleset(SourceFile("-", ""), "iptables-save", IPTABLES, ())
    words = tuple(arguments(text).split())
    return run_script(parse(SourceFile(str(script), text)), nothing, None, words)


def said(script: Script) -> list[tuple[str, ...]]:
    """Its commands without the names of the tools. What is not sure has a mark in its words, or
    hangs on something, and so is like nothing that ran."""
    return [(*step.words, *(each.text for each in step.conditions)) for step in script.steps]


def failing(script: Script, ran: Ran) -> list[tuple[str, ...]]:
    """Which of the commands of iptables fail; of others iptlint does not tell."""
    pairs = zip(script.steps, ran.commands, strict=True)
    return [step.words for step, (words, _) in pairs if step.failed and words[0] in _IPTABLES]


def failed(ran: Ran) -> list[tuple[str, ...]]:
    return [words[1:] for words, fails in ran.commands if fails and words[0] in _IPTABLES]


_IPTABLES = ("iptables", "ip6tables")


def chains(tables: tuple[Table, ...]) -> Chains:
    """Those that are not as the kernel makes them. Several rules of one command have no order."""
    return {
        f"{table.family.value} {table.name} {chain.name}": (
            _policy(chain),
            [told for rule in chain.rules for told in single(rule)],
        )
        for table in tables
        for chain in table.chains.values()
        if table.name not in _OWN or not _is_untouched(table, chain.name)
    }


def _is_untouched(table: Table, name: str) -> bool:
    chain = table.chains[name]
    return chain.hook is not None and not chain.rules and _policy(chain) in (None, "accept")


def _policy(chain: Chain) -> str | None:
    return None if chain.policy is None else chain.policy.name.lower()


def left(ran: Ran) -> Chains:
    tables = (
        *_tables(ran.v4, "rules.v4", Family.IP),
        *_tables(ran.v6, "rules.v6", Family.IP6),
        *_tables(ran.nft, "rules.nft", None),
    )
    return chains(tables)


def _tables(text: str, path: str, family: Family | None) -> tuple[Table, ...]:
    return read(SourceFile(path, text), Reader(family)).ruleset.tables if text.strip() else ()


def leaves(script: Script) -> Chains:
    """With sets by their names, as the kernel's tables have them."""
    return chains(replace(script, steps=tuple(map(_without_sets, script.steps))).final()[0].tables)


def _without_sets(step: Step) -> Step:
    return replace(step, sets=())


def check(path: Path, folder: Path) -> None:
    script, ran = believed(path), run(path, folder)
    assert said(script) == [words[1:] for words, _ in ran.commands], ran.printed
    assert failing(script, ran) == failed(ran), ran.printed
    assert leaves(script) == left(ran)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_does_what_is_believed_of_it(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "host" / path.name
    shutil.copytree(path.parent, copy.parent)
    (tmp_path / "run").mkdir()
    check(copy, tmp_path / "run")


def test_so_do_random_ones(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    wrong = []
    for seed in range(_LONG if pytestconfig.getoption("--long") else SEEDS):
        folder = tmp_path / str(seed)
        folder.mkdir()
        path = folder / "firewall.sh"
        path.write_text(written(seed), "utf-8")
        try:
            check(path, folder)
        except AssertionError as error:
            wrong.append(f"seed {seed}: {error}\n{path.read_text('utf-8')}")
    assert not wrong, "\n\n".join(wrong)
