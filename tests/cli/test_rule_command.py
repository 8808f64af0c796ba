from __future__ import annotations

import json

from iptlint.rules.registry import SECTIONS, rules
from tests.cli.conftest import Run


def test_all_of_them_as_a_table(run: Run) -> None:
    lines = run("rule").stdout.splitlines()
    assert [line.split()[0] for line in lines[2:]] == [rule.meta.code for rule in rules()]


def test_one_by_code_or_name(run: Run) -> None:
    by_code, by_name = run("rule", "ipt001"), run("rule", "syntax-error")
    assert by_code.stdout == by_name.stdout
    assert all(f"## {title}\n" in by_code.stdout for title in SECTIONS)


def test_an_unknown_one(run: Run) -> None:
    result = run("rule", "IPT01")
    assert result.returncode == 0
    result = run("rule", "syntax-eror")
    assert result.returncode == 2
    assert "did you mean syntax-error?" in result.stderr


def test_json_is_the_contract(run: Run) -> None:
    listed = json.loads(run("rule", "--output-format", "json").stdout)
    keys = "code name severity confidence group since fixable pedantic summary url references"
    assert [set(rule) for rule in listed] == [set(keys.split())] * len(rules())
