"""Words in a row, as people say them."""

from iptlint.packets.describe.lists import Listing, few, listed


def test_the_last_word_is_joined_by_and() -> None:
    assert [listed(words) for words in ("", "a", "ab", "abc")] == ["", "a", "a and b", "a, b and c"]
    assert listed(["22", "80", "443"], "or") == "22, 80 or 443"
    assert listed(iter(["a", "b"])) == "a and b"


def test_words_beyond_a_few_are_counted_but_for_a_single_one() -> None:
    assert few(["a", "b"], 2) == "a, b"
    assert few(["a", "b", "c"], 2) == "a, b, c"
    assert few(["a", "b", "c", "d"], 2) == "a, b and 2 more"


def test_a_list_that_names_all_is_less_to_read_than_one_that_does_not() -> None:
    whole = Listing(tuple(map(str, range(99))), None)
    part = Listing(("1",), None, rest="and 98 others")
    assert whole.length < part.length
