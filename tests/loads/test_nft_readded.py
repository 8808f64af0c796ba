"""Elements that one file puts into a set, takes out, and puts in again, and rules whose places it
emptied before: each text was put to ``nft -f`` (nftables 1.0.6, Linux 6.18)."""

from __future__ import annotations

import pytest

from tests.loads.test_nft import loaded

ADDED = "add table ip t\nadd set ip t s {{ type inet_service; flags interval; {} }}\n"
WITH_ONE = "table ip t {\n set s { type inet_service; flags interval; elements = { 3-9 }\n }\n}\n"


def commands(*words: str) -> str:
    """`+1-5` puts in, `-1-5` takes out, `flush` takes out all."""
    verbs = {"+": "add", "-": "delete"}
    return "".join(
        f"{verbs[word[0]]} element ip t s {{ {word[1:]} }}\n"
        if word != "flush"
        else "flush set ip t s\n"
        for word in words
    )


OVER_AGAIN = [
    (ADDED.format(""), ("+1-5", "-1-5", "+3-8"), 3),
    (ADDED.format(""), ("+1-5", "-1-5", "+1-8"), 3),
    (ADDED.format(""), ("+3-4", "-3-4", "+1-8"), 3),
    (ADDED.format(""), ("+1-5", "flush", "+3-8"), 3),
    (ADDED.format(""), ("+1-5", "-1-5", "+3-8", "-3-8", "+1-5"), 5),
    (ADDED.format(""), ("+1-5", "-1-5", "+1-5"), 0),
    (ADDED.format(""), ("+1-5", "-1-5", "+6-8"), 0),
    (WITH_ONE, ("-3-9", "+8-9"), 6),
    (WITH_ONE, ("-3-9", "+3-9"), 0),
    (WITH_ONE, ("flush", "+8-12"), 0),
    (WITH_ONE, ("+15-20", "-15-20", "-3-9", "+4-5", "-4-5"), 0),
]


@pytest.mark.parametrize(("head", "words", "line"), OVER_AGAIN, ids=str)
def test_what_overlaps_what_stays_is_refused_by_some_releases(
    head: str, words: tuple[str, ...], line: int
) -> None:
    """nft 1.0.3 to 1.1.0 hands all that stays over before what the commands put in."""
    text = head + commands(*words)
    for target, lines in (("nft=1.0.6", [line] if line else []), ("nft=1.0.2", []), (None, [])):
        refusals = loaded(text, target=target).refusals
        assert [refusal.span.line for refusal in refusals[:1]] == lines


def test_on_a_set_that_was_there_before_it_is_taken() -> None:
    text = commands("-3-9", "+8-12")
    assert loaded(text, WITH_ONE, target="nft=1.0.6").taken


RULES = "add table ip t\nadd chain ip t c\nadd rule ip t c accept\n"


@pytest.mark.parametrize(
    ("text", "token"),
    [
        (RULES + "flush chain ip t c\nadd rule ip t c index 0 drop\n", ""),
        (RULES + "flush table ip t\ninsert rule ip t c index 0 drop\n", ""),
        (RULES + "add rule ip t c index 1 drop\n", "index 1"),
        (RULES + "flush ruleset\n" + RULES + "add rule ip t c index 1 drop\n", "index 1"),
        (RULES + "delete rule ip t c index 0\n", "index 0"),
        (RULES + "replace rule ip t c position 2 drop\n", "position 2"),
        (RULES + "flush chain ip t c\nreplace rule ip t c handle 2 drop\n", "handle 2"),
    ],
)
def test_a_place_may_be_that_of_a_rule_which_the_file_took_out(text: str, token: str) -> None:
    assert [refusal.span.text for refusal in loaded(text).refusals[:1]] == [token][: bool(token)]


def test_on_a_host_whose_chain_is_emptied_a_handle_is_still_there() -> None:
    before = "table ip t {\n chain c {\n  accept\n }\n}\n"
    for place in ("index 0", "position 2", "handle 2"):
        assert loaded(f"flush table ip t\nadd rule ip t c {place} drop\n", before).taken
