"""What is accepted for now, and until when."""

from __future__ import annotations

from datetime import date

import pytest

from iptlint.findings import Finding, Severity
from iptlint.findings.baseline import EMPTY, BaselineError, baseline_of, sifted
from iptlint.source import SourceFile

DAY = date(2030, 6, 1)


def findings(text: str, *lines: int) -> list[Finding]:
    source = SourceFile("a/rules.v4", text)
    return [Finding("IPT101", Severity.ERROR, source.line_span(line), "m") for line in lines]


OLD = findings("-A INPUT -j DROP\n", 1)
MOVED = findings("# new\n[9:9] -A INPUT -j DROP\n-A INPUT -j LOG\n", 2, 3)


def test_a_moved_line_stays_accepted_and_a_new_finding_speaks() -> None:
    known = baseline_of(EMPTY.again(OLD).as_json())
    speaking, hidden = sifted(known, MOVED, DAY)
    assert ([f.span.line for f in speaking], [f.span.line for f in hidden]) == ([3], [2])


def test_a_second_one_of_the_same_speaks() -> None:
    twice = findings("-A INPUT -j DROP\n-A INPUT -j DROP\n", 1, 2)
    speaking, hidden = sifted(EMPTY.again(OLD), twice, DAY)
    assert (len(speaking), len(hidden)) == (1, 1)


@pytest.mark.parametrize(("expires", "hides"), [("2030-06-01", 1), ("2030-05-31", 0), ("", 1)])
def test_an_expired_one_speaks_again(expires: str, hides: int) -> None:
    document = EMPTY.again(OLD).as_json()
    document["findings"][0]["expires"] = expires  # type: ignore[index]
    assert len(sifted(baseline_of(document), OLD, DAY)[1]) == hides


def test_what_people_wrote_is_kept_as_long_as_the_finding_is_there() -> None:
    document = EMPTY.again(OLD).as_json()
    document["findings"][0] |= {"reason": "r", "owner": "o", "expires": "2031-01-01"}  # type: ignore[index]
    again = baseline_of(document).again(MOVED)
    first, second = again.accepted.values()
    assert (first.reason, first.owner, first.expires, first.line) == ("r", "o", date(2031, 1, 1), 2)
    assert (second.reason, second.expires) == ("", None)
    assert [*baseline_of(document).again([]).accepted] == []


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ([], "it is no baseline"),
        ({"version": 1}, "it is no baseline"),
        ({"version": 2, "findings": []}, "it is of version 2"),
        ({"version": 1, "findings": [{}]}, "finding 1 has no fingerprint"),
        (
            {"version": 1, "findings": [{"fingerprint": "x", "expire": "2030-01-01"}]},
            r"finding 1 has a key 'expire', which is none \(did you mean expires\?\)",
        ),
        (
            {"version": 1, "findings": [{"fingerprint": "x", "expires": "soon"}]},
            "finding 1 expires on 'soon', which is no day",
        ),
    ],
)
def test_what_is_no_baseline_is_told(document: object, told: str) -> None:
    with pytest.raises(BaselineError, match=told):
        baseline_of(document)
