"""A good ruleset, one small edit, and exactly the finding that speaks of it.

The rows are in ``tests/mutations``, a file for each group of rules; how an edit is told is in
``tests/mutations/edits.py``. What counts is the difference: hosts may have findings of their own.
"""

from __future__ import annotations

from collections import Counter

import pytest

from iptlint.findings import Severity
from iptlint.rules.registry import rules
from tests.mutations import (
    exposure,
    hygiene,
    ipv6,
    lockout,
    nat,
    persistence,
    reachability,
    reading,
    scale,
    scripts,
    state,
)
from tests.mutations.edits import (
    Delete,
    Edit,
    InsertAfter,
    Mutation,
    NotThereError,
    Replace,
    Swap,
    difference,
    wanted,
)

GROUPS = (
    reading,
    reachability,
    state,
    lockout,
    persistence,
    scale,
    exposure,
    ipv6,
    nat,
    hygiene,
    scripts,
)
ROWS = tuple(row for group in GROUPS for row in group.ROWS)

NO_ROWS = {
    "IPT008": "a file without any table is more than one line away from one that has some",
    "IPT009": "no input is known that makes a rule crash",
    **{
        f"IPT95{last}": "about documents of a cloud, not about lines of a host: tests/cloud"
        for last in range(1, 9)
    },
    "IPT010": "a file over the limit is no fixture",
    "IPT609": "a rule of a test file, not of a firewall: tests/policy",
    "IPT401": "no file is a host: tests/host",
    "IPT402": "no file is a host: tests/host",
    "IPT408": "no file is a host: tests/host",
}


def name_of(row: Mutation) -> str:
    return f"{row.code}-{row.base}"


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_the_fault_is_found_and_nothing_else(row: Mutation) -> None:
    assert difference(row) == wanted(row)


def test_every_rule_has_rows() -> None:
    count = Counter(row.code for row in ROWS)
    for rule in rules():
        code, severity = rule.meta.code, rule.meta.severity
        if code not in NO_ROWS:
            assert count[code] >= (3 if severity is Severity.ERROR else 2), code
    assert not count.keys() & NO_ROWS.keys()


def test_no_row_is_there_twice() -> None:
    assert [row for row, times in Counter(ROWS).items() if times > 1] == []


def test_no_bad_fixture_is_edited() -> None:
    assert not any("/bad" in row.base for row in ROWS)


@pytest.mark.parametrize("row", [row for row in ROWS if row.also or row.gone], ids=name_of)
def test_what_else_happens_has_a_reason(row: Mutation) -> None:
    assert row.why


LINES = ["*filter", "  -A a", "  -A b", "COMMIT"]


@pytest.mark.parametrize(
    ("edit", "after"),
    [
        (Replace("-A a", "-A c\n-A d"), ["*filter", "  -A c", "  -A d", "  -A b", "COMMIT"]),
        (Delete("-A a"), ["*filter", "  -A b", "COMMIT"]),
        (InsertAfter("-A a", "-A c"), ["*filter", "  -A a", "  -A c", "  -A b", "COMMIT"]),
        (Swap("-A b", "-A a"), ["*filter", "  -A b", "  -A a", "COMMIT"]),
    ],
)
def test_an_edit(edit: Edit, after: list[str]) -> None:
    assert edit.of(LINES) == after


@pytest.mark.parametrize(
    "edit", [Replace("-A x", ""), Delete("-A x"), InsertAfter("-A x", ""), Swap("-A a", "-A x")]
)
def test_an_edit_that_does_not_fit(edit: Edit) -> None:
    with pytest.raises(NotThereError):
        edit.of(LINES)
    with pytest.raises(NotThereError):
        edit.of([*LINES, "-A a", "-A x", "-A x"])
