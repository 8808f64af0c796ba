"""What the kinds of verdicts have in common."""

from __future__ import annotations

import pytest

from iptlint.model import VerdictKind

K = VerdictKind


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("denies", {K.DROP, K.REJECT}),
        ("passes", {K.ACCEPT, K.NAT}),
        ("decides", {K.ACCEPT, K.DROP, K.REJECT}),
        ("goes_on", {K.CONTINUE, K.RETURN}),
        ("may_deny", {K.DROP, K.REJECT, K.QUEUE, K.UNKNOWN}),
        ("may_pass", {K.ACCEPT, K.NAT, K.QUEUE, K.UNKNOWN}),
        ("terminates", {K.ACCEPT, K.DROP, K.REJECT, K.QUEUE, K.NAT}),
    ],
)
def test_each_question_is_answered_for_every_kind(question: str, kinds: set[VerdictKind]) -> None:
    assert {kind for kind in VerdictKind if getattr(kind, question)} == kinds


@pytest.mark.parametrize("kind", VerdictKind)
def test_what_denies_does_not_pass(kind: VerdictKind) -> None:
    assert not (kind.denies and kind.passes)
    assert kind.may_deny >= kind.denies
    assert kind.may_pass >= kind.passes


@pytest.mark.parametrize("kind", VerdictKind)
def test_what_ends_a_base_chain_does_not_go_on(kind: VerdictKind) -> None:
    assert not (kind.terminates and kind.goes_on)
