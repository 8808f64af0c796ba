"""Every lint rule explains itself, and its own examples prove it."""

from __future__ import annotations

import ast
import inspect
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

import iptlint
from iptlint.linter.run import lint as lint_texts
from iptlint.rules.meta import Group
from iptlint.rules.registry import SECTIONS, RuleModule, names, rules
from iptlint.source import SourceFile
from tests.expectations import FIXTURES, difference, expected, lint

PACKAGE = Path(iptlint.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
CODE = re.compile(r"\bIPT[0-9]{3}\b")

NO_FIXTURES = {
    "IPT009": "no input is known that makes a rule crash",
    "IPT010": "a file over the limit is no fixture",
    "IPT609": "a rule of a test file, not of a firewall: tests/policy",
    "IPT401": "no file is a host: tests/host",
    "IPT402": "no file is a host: tests/host",
    "IPT408": "no file is a host: tests/host",
}


NO_EXAMPLE_FILE = NO_FIXTURES | {
    "IPT302": "it takes a setting",
    "IPT504": "a way of 200 rules is too long for a page",
    "IPT701": "it is of two files",
    "IPT854": "the software's table is left out",
    "IPT951": "of a cloud, as are those that follow",
    **{f"IPT95{n}": "of a cloud" for n in range(2, 9)},
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


EXAMPLE = re.compile(r"^```\n(.*?)^```", re.M | re.S)


@pytest.mark.parametrize(
    "rule", [r for r in rules() if r.meta.code not in NO_EXAMPLE_FILE], ids=lambda r: r.meta.code
)
def test_its_example_is_reported(rule: RuleModule) -> None:
    """Who tries the page's own file is told what the page says."""
    text = EXAMPLE.findall(rule.sections["Example"])[0]
    report = lint_texts([SourceFile(file_for(rule, text), text)], select=[rule.meta.code])
    assert rule.meta.code in {finding.code for finding in report.findings}


def file_for(rule: RuleModule, text: str) -> str:
    """What a file with the text would be called."""
    if text.startswith("*"):
        return "rules.v6" if rule.meta.group is Group.IPV6 else "rules.v4"
    return "fw.sh" if re.search(r"^\W*ip6?tables ", text, re.M) else "fw.nft"


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.meta.code)
def test_its_module_is_called_like_it(rule: RuleModule) -> None:
    expected_name = f"{rule.meta.code}-{rule.meta.name}".lower().replace("-", "_")
    assert rule.check.__module__ == f"iptlint.rules.{rule.meta.group.name.lower()}.{expected_name}"


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.meta.code)
def test_it_yields_to_rules_that_there_are(rule: RuleModule) -> None:
    assert {*rule.meta.yields_to} <= names().keys() - {rule.meta.code}


def comments(path: Path) -> Iterator[str]:
    """What the code says to its readers; its module's docstring is the rule's documentation."""
    text = path.read_text("utf-8")
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    yield from (token.string for token in tokens if token.type == tokenize.COMMENT)
    for node in (part for each in ast.parse(text).body[1:] for part in ast.walk(each)):
        match node:
            case ast.Expr(ast.Constant(str(docstring))):
                yield docstring


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.meta.code)
def test_what_its_code_says_of_other_rules_is_declared(rule: RuleModule) -> None:
    path = Path(inspect.getfile(rule.check))
    mentioned = {code for text in comments(path) for code in CODE.findall(text)}
    assert mentioned <= {rule.meta.code, *rule.meta.yields_to, *rule.meta.leaves_to}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.meta.code)
def test_it_says_why_it_leaves_something_to_another(rule: RuleModule) -> None:
    others = {*rule.meta.leaves_to}
    assert others <= names().keys() - {rule.meta.code, *rule.meta.yields_to}
    assert all(rule.meta.leaves_to.values())


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_codes_that_are_mentioned_are_codes_of_rules(path: Path) -> None:
    assert {*CODE.findall(path.read_text("utf-8"))} <= names().keys()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_knows_one_rule(path: Path) -> None:
    """Rules are found by the registry; only the front door of a folder may name one inside."""
    doors = [path.parent] if path.name == "__init__.py" else []
    imported = re.findall(r"^\s*from (iptlint\.rules\.\w+)\.ipt\d+", path.read_text("utf-8"), re.M)
    assert {*imported} <= {f"iptlint.rules.{door.name}" for door in doors}


@pytest.mark.parametrize("room", ["netfilter", "analysis", "linter", "cli"])
def test_no_code_stands_in_the_engine(room: str) -> None:
    lines = (
        line for path in (PACKAGE / room).rglob("*.py") for line in path.open(encoding="utf-8")
    )
    named = [line for line in lines if CODE.search(line) and "help=" not in line]
    assert named == []


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


def test_the_changelog_counts_them() -> None:
    page = (PACKAGE.parent / "CHANGELOG.md").read_text("utf-8")
    assert f"by {len(rules())} rules," in page
