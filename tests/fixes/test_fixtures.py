"""Each fix is applied to all bad fixtures of its rule; the command itself proves what it writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.fixes.fixtures import CASES, FIXABLE, Case, check, is_taken, repaired
from tests.kernel.firewall import missing

WITHOUT_FIX = {
    # More than one thing may have been meant.
    *(f"IPT001-{name}" for name in ("bad.nft", "bad.v4", "bad_brace.nft", "bad_listing.v4")),
    *(f"IPT006-{name}" for name in ("bad.nft", "bad.v4", "bad_fragment.v4", "bad_policy.nft")),
    "IPT006-bad_undeclared.v4",
    "IPT114-bad_appended.sh",  # the line is in a loop
    # Whether the table is to be made above, or the line to go, is for somebody to say.
    "IPT006-bad_not_yet_made.nft",
    "IPT101-bad_cut_off.nft",
    "IPT101-bad_cut_off.v6",
    "IPT101-bad_prerouting.nft",
    "IPT101-bad_prerouting.v4",
    # The chain that accepts is called by others too.
    "IPT202-bad_in_called_chain.v4",
    "IPT202-bad_in_called_chain.v6",
    "IPT201-bad_closed.v6",
    "IPT304-bad_nft.sh",
    "IPT305-bad_shut.v6",
}
"""Cases of rules with fixes in which nothing can be fixed by an edit."""

REFUSED = {
    # The policy drops what the element would drop.
    "IPT113-bad_sets.nft": "no packet would fare otherwise",
    # At prerouting nobody knows yet whose the messages are.
    "IPT702-bad_prerouting.nft": "packets would fare otherwise that it is not about",
}
"""Cases in which the proof fails, and how the reason begins."""


def shut_out(answer: dict[str, Any]) -> bool:
    """Whether nobody gets in by SSH, for good or while a script is applied."""
    return any(finding["code"] in ("IPT301", "IPT303") for finding in answer["findings"])


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_a_rule_can_fix_is_gone(case: Case, tmp_path: Path) -> None:
    """That no error is new and that packets fare as they should is proved before it is written;
    the kernel says whether it takes the new text as it took the old one."""
    done = repaired(case, tmp_path)
    why = [each["reason"] for each in done.answer["fixes"]["refused"]]
    if str(case) in REFUSED:
        assert any(reason.startswith(REFUSED[str(case)]) for reason in why)
        return
    assert why == []
    if missing() is None:
        for before, after in done.files:
            assert is_taken(after) or not is_taken(before)
    if shut_out(done.answer):
        assert shut_out(check([before for before, _ in done.files]))
    left = [f for f in done.answer["findings"] if f["code"] == case.code and f["fixable"]]
    assert left == []
    assert bool(done.applied) is (str(case) not in WITHOUT_FIX)


@pytest.mark.skipif(missing() is not None, reason=str(missing()))
@pytest.mark.parametrize(
    "case",
    [c for c in CASES if c.code in ("IPT001", "IPT006") and str(c) not in WITHOUT_FIX],
    ids=str,
)
def test_what_was_refused_is_taken(case: Case, tmp_path: Path) -> None:
    ((before, after),) = repaired(case, tmp_path).files
    assert (is_taken(before), is_taken(after)) == (False, True)


@pytest.mark.parametrize("code", FIXABLE)
def test_each_fixable_rule_has_a_fixture_with_a_fix(code: str) -> None:
    cases = {str(case) for case in CASES if case.code == code}
    assert cases - WITHOUT_FIX - REFUSED.keys()
