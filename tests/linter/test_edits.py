"""A text that is edited, and looked at after each edit, is told of as if it were seen first."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from iptlint.dialects.iptables.lowering import read_before
from iptlint.linter.run import lint
from iptlint.reports.json_report import json_report
from iptlint.source import SourceFile
from tests.netfilter.test_long_chain import flat_rules

ROOT = Path(__file__).parents[2]
OTHER_LINES = (
    "-A INPUT -s 192.0.2.0/24 -j NOBODYKNOWS",
    "-A long -s 192.0.2.300 -j DROP",
    "-A long -o eth1 -j DROP",
    "-A INPUT -o eth1 -j DROP",
    "-A long -j DNAT --to-destination 10.0.0.1",
    "-A nowhere -s 192.0.2.7 -j DROP",
    "-A long -p tcp --dport 22 -m comment --comment mine -j ACCEPT",
    "[7:420] -A long -s 192.0.2.7 -j ACCEPT",
    "-I long 3 -s 198.51.100.7 -j DROP",
    "-D long 2",
    "-R long 1 -j RETURN",
    "-A long -j SNAT --to-source 192.0.2.1",
    ":more - [0:0]",
    "-A long -s 192.0.2.7 -j more",
    "# a remark",
    "",
    "COMMIT",
    "*nat",
    "*filter",
)


@pytest.fixture(autouse=True)
def _nothing_read() -> Iterator[None]:
    read_before.forget()
    yield
    read_before.forget()


def edits(seed: int, lines: list[str], count: int) -> Iterator[list[str]]:
    """The lines after each of so many edits."""
    draw = Random(seed)
    for _ in range(count):
        number = draw.randrange(4, len(lines))
        match draw.randrange(6):
            case 0:
                lines = [*lines[:number], *lines[number + 1 :]]
            case 1:
                lines = [*lines[:number], draw.choice(lines), *lines[number:]]
            case 2:
                lines = [*lines[:number], draw.choice(OTHER_LINES), *lines[number:]]
            case 3:
                mended = lines[number].replace("192.0.2", f"198.51.{draw.randrange(256)}")
                lines = [*lines[:number], mended, *lines[number + 1 :]]
            case 4:
                lines = [*lines[:4], *draw.sample(lines[4:], len(lines) - 4)]
            case _:
                other = lines[number].replace("-A long", "-A INPUT").replace("ACCEPT", "DROP")
                lines = [*lines[:number], other, *lines[number + 1 :]]
        yield lines


def told(path: str, text: str) -> str:
    return json_report(lint([SourceFile(path, text)]))


@pytest.mark.parametrize("seed", range(4))
def test_each_edit_is_answered_as_a_first_look_answers(seed: int) -> None:
    path = "rules.v6" if seed % 2 else "rules.v4"
    lines = flat_rules(seed, 40, ipv6=bool(seed % 2)).split("\n")
    texts = ["\n".join(edited) for edited in edits(seed, lines, 8)]
    again = [told(path, text) for text in texts]
    for text, answer in zip(texts, again, strict=True):
        read_before.forget()
        assert told(path, text) == answer


def test_a_process_of_its_own_says_the_same() -> None:
    for edited in edits(1, flat_rules(1, 60).split("\n"), 8):
        text = "\n".join(edited)
        answer = told("rules.v4", text)
    fresh = subprocess.run(
        [sys.executable, "-c", f"import sys\nfrom {__name__} import told\n{_TELL}", text],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert fresh.stdout == answer


_TELL = "sys.stdout.write(told('rules.v4', sys.argv[1]))"


def test_lines_that_are_as_they_were_are_not_worked_out_again() -> None:
    lines = flat_rules(3, 40).split("\n")
    told("rules.v4", "\n".join(lines))
    before = read_before.last("rules.v4").lines
    lines.insert(20, "-A long -s 203.0.113.77/32 -j DROP")
    told("rules.v4", "\n".join(lines))
    after = read_before.last("rules.v4").lines
    assert len(before) > 20
    assert [key for key, line in after.items() if before.get(key) is not line] == [
        key for key in after if "203.0.113.77" in key[2]
    ]


def test_no_more_is_kept_than_a_few_texts() -> None:
    for number in range(20):
        told(f"{number}.v4", flat_rules(number, 5))
    assert len(read_before._texts) == read_before._MOST_TEXTS


def test_what_lines_meant_that_are_gone_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_before, "_MORE_PARTS", 100)
    most = 0
    for number in range(60):
        rules = "".join(f"-A long -s 10.{number}.0.{n}/32 -j DROP\n" for n in range(10))
        told("rules.v4", f"*filter\n:long - [0:0]\n{rules}COMMIT\n")
        most = max(most, sum(map(len, read_before.last("rules.v4").pool.values())))
    assert most <= 8 * 10 + 100 + 12
