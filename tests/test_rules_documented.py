"""Every lint rule explains itself, and its own examples prove it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from iptlint.rules.registry import SECTIONS, RuleModule, rules
from tests.expectations import FIXTURES, difference, expected, lint

NO_FIXTURES = {
    "IPT009": "no input is known that makes a rule crash",
    "IPT010": "a file over the limit is no fixture",
    "IPT401": "no file is a host: tests/host",
    "IPT402": "no file is a host: tests/host",
    "IPT408": "no file is a host: tests/host",
}


def cases(kind: str) -> list[tuple[str, Path]]:
    return [
        (rule.meta.code, case)
        for rule in rules()
        for case in sorted((FIXTURES / "rules" / rule.meta.code).glob(f"{kind}*"))
    ]


def name_of(value: str | Path) -> str:
    return value if isinstance(value, str) else value.name


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.meta.code)
def test_it_is_documented(rule: RuleModule) -> None:
    assert re.fullmatch(r"[A-Z`].*\.", rule.summary), rule.summary
    assert tuple(rule.sections) == SECTIONS
    assert all(rule.sections.values())
    assert rule.meta.since
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.meta.name)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.meta.code)
def test_its_module_is_called_like_it(rule: RuleModule) -> None:
    expected_name = f"{rule.meta.code}-{rule.meta.name}".lower().replace("-", "_")
    assert rule.check.__module__ == f"iptlint.rules.{rule.meta.group.name.lower()}.{expected_name}"


@pytest.mark.parametrize(
    "rule", [r for r in rules() if r.meta.code not in NO_FIXTURES], ids=lambda rule: rule.meta.code
)
@pytest.mark.parametrize("kind", ["bad", "good"])
def test_it_has_fixtures(rule: RuleModule, kind: str) -> None:
    assert list((FIXTURES / "rules" / rule.meta.code).glob(f"{kind}*"))


@pytest.mark.parametrize(("code", "case"), cases("bad"), ids=name_of)
def test_what_is_bad_is_found(code: str, case: Path) -> None:
    wanted = [place for place in expected(case) if place[2] == code]
    found = [place for place in lint(case, "--select", code) if place[2] == code]
    missing, surplus = difference(found, wanted)
    assert wanted, "a bad fixture has to expect something"
    assert (missing, surplus) == ([], [])


@pytest.mark.parametrize(("code", "case"), cases("good"), ids=name_of)
def test_what_is_good_is_left_alone(code: str, case: Path) -> None:
    assert [place for place in lint(case, "--select", code) if place[2] == code] == []
