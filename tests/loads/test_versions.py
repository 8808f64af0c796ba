"""What older versions do not have yet, and how a target is named."""

from __future__ import annotations

import pytest

from iptlint.dialects import read
from iptlint.loads.judges import load
from iptlint.loads.nft.versions import FEATURES
from iptlint.loads.target import DISTRIBUTIONS, UnknownTargetError, target_of
from iptlint.source import SourceFile

DSTNAT_AT_OUTPUT = """\
table inet t {
 chain c {
  type nat hook output priority dstnat;
 }
}
"""


def causes(text: str, target: str | None) -> list[str]:
    answer = load(read(SourceFile("x.nft", text)), target=target_of(target) if target else None)
    assert answer is not None
    return [refusal.cause for refusal in answer.refusals]


def test_a_verb_that_is_too_new() -> None:
    (cause,) = causes("destroy table inet t\n", "debian-12")
    assert cause == (
        "destroy needs nft 1.0.7: debian-12 has 1.0.6, and Linux 6.3: debian-12 has 6.1"
    )


@pytest.mark.parametrize("target", [None, "debian-13", "nft=1.0.7,kernel=6.3"])
def test_without_a_target_or_with_a_new_one_nothing_is_said(target: str | None) -> None:
    assert causes("destroy table inet t\n", target) == []


def test_names_of_priorities_by_hook() -> None:
    assert causes(DSTNAT_AT_OUTPUT, None) == []
    assert causes(DSTNAT_AT_OUTPUT, "ubuntu-24.04") == []
    assert "needs nft 1.0.9" in causes(DSTNAT_AT_OUTPUT, "nft=1.0.6")[0]


@pytest.mark.parametrize("text", ["debian", "nft", "nft=new", "pf=1.0", ""])
def test_what_is_no_target(text: str) -> None:
    with pytest.raises(UnknownTargetError):
        target_of(text)


def test_the_rows_say_where_they_are_from() -> None:
    assert all(feature.decided and (feature.nft or feature.kernel) for feature in FEATURES)
    assert all(target.nft and target.iptables for target in DISTRIBUTIONS.values())
