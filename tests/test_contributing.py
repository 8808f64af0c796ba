"""The worked examples of CONTRIBUTING.md do what it says of them, on its own fixtures."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import pytest

import iptlint
from iptlint.analysis.session import Context, Settings
from iptlint.rules.registry import names
from tests.expectations import ROOT, expected

_FENCE = re.compile(
    r"^(?P<indent> *)(?P<ticks>```+)(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)(?P=ticks)$",
    re.MULTILINE | re.DOTALL,
)
_RULESET = re.compile(r"\*\w+\n|table \w+ \w+ \{")


class Example(NamedTuple):
    """A rule of the page, and a ruleset that it is shown with."""

    rule: str
    ruleset: str


def examples() -> Iterator[Example]:
    rule = ""
    for fence in _FENCE.finditer((ROOT / "CONTRIBUTING.md").read_text("utf-8")):
        text = dedent(fence["text"])
        if fence["language"] == "python":
            rule = text
        elif _RULESET.match(text):
            yield Example(rule, text)


EXAMPLES = [*examples()]


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_rule_finds_what_is_to_be_found(example: Example, tmp_path: Path) -> None:
    rule, ruleset = tmp_path / "rule.py", tmp_path / "ruleset"
    rule.write_text(example.rule, "utf-8")
    ruleset.write_text(example.ruleset, "utf-8")
    module = runpy.run_path(str(rule))
    context = Context((iptlint.read(ruleset),), Settings())
    found = {(str(ruleset), one.span.line, one.code) for one in module["check"](context)}
    assert found == {*expected(ruleset)}  # of an inet table both families say it
    assert module["META"].code not in names()


def test_each_rule_is_shown_with_what_it_finds_and_what_not() -> None:
    shown = {(rule, "# expect: " in ruleset) for rule, ruleset in EXAMPLES}
    assert len({rule for rule, _ in shown}) == 2
    assert len(shown) == 4
