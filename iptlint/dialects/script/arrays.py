"""Arrays of which the items have keys: those of ``declare -A``, and lists with gaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from iptlint.dialects.script.symbolic_text import are_known
from iptlint.model.numbers import decimal, signed


class Items(tuple[str, ...]):
    """The values in the order in which bash goes through them; ``keys``: that of each.
    ``named``: the keys are words, not numbers.

    Of those that go into one place of bash's table the first given comes first: it puts a new one
    before the others. A plain tuple has the keys from 0 on.
    """

    keys: tuple[str, ...]
    named: bool

    def __new__(cls, pairs: Iterable[tuple[str, str]] = (), *, named: bool = False) -> Items:
        ordered = sorted(pairs, key=_place if named else _number)
        made = super().__new__(cls, (value for _, value in ordered))
        made.keys = tuple(key for key, _ in ordered)
        made.named = named
        return made

    def __eq__(self, other: object) -> bool:
        same = tuple.__eq__(self, other) if isinstance(other, tuple) else False
        return same is True and keys_of(self) == keys_of(other)  # type: ignore[arg-type]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return tuple.__hash__(self)


def _number(pair: tuple[str, str]) -> int:
    return signed(pair[0]) or 0


_BUCKETS = 1024


def _place(pair: tuple[str, str]) -> int:
    """As bash 5 keeps them: ``hash_string`` in its hashlib.c, and ASSOC_HASH_BUCKETS."""
    hashed = 2166136261
    for byte in pair[0].encode():
        hashed = (hashed * 16777619) & 0xFFFFFFFF
        hashed ^= byte
    return hashed & (_BUCKETS - 1)


def keys_of(items: tuple[str, ...]) -> tuple[str, ...]:
    return items.keys if isinstance(items, Items) else tuple(map(str, range(len(items))))


def after_last(keys: Sequence[str]) -> int:
    """The number behind those that the keys are."""
    return 1 + max((decimal(key) or 0 for key in keys), default=-1)


def from_the_end(keys: Sequence[str], key: str) -> str | None:
    """The key that ``-1`` and its like stand for; None where there are not so many."""
    number = after_last(keys) + (signed(key) or 0)
    return str(number) if number >= 0 else None


def is_named(value: object) -> bool:
    """Whether its keys are words."""
    return isinstance(value, Items) and value.named


def pairs_of(items: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    return zip(keys_of(items), items, strict=True)


def is_list_known(items: tuple[str, ...]) -> bool:
    """Whether each item is one, and has the key that it is taken to have."""
    keys = items.keys if isinstance(items, Items) else ()
    return are_known(items) and are_known(keys)


def packed(pairs: Iterable[tuple[str, str]], *, named: bool) -> tuple[str, ...]:
    """The array that is given these items one behind the other."""
    given = list(dict(pairs).items())
    items = Items(reversed(given), named=named)
    return items if named else _shortest(items)


def index_in(items: tuple[str, ...], key: str) -> int | None:
    """Where the item with this key is; None where there is none."""
    if isinstance(items, Items):
        return items.keys.index(key) if key in items.keys else None
    number = decimal(key)
    return number if number is not None and number < len(items) else None


def with_item(items: tuple[str, ...], key: str, value: str) -> tuple[str, ...]:
    index = index_in(items, key)
    if not isinstance(items, Items) and (index is not None or decimal(key) == len(items)):
        index = len(items) if index is None else index
        return items[:index] + (value,) + items[index + 1 :]  # noqa: RUF005
    pairs = [*pairs_of(items)]
    if index is None:
        return _shortest(Items([(key, value), *pairs], named=is_named(items)))
    return _shortest(
        Items([(k, value if k == key else v) for k, v in pairs], named=is_named(items))
    )


def without_item(items: tuple[str, ...], key: str) -> tuple[str, ...]:
    kept = (pair for pair in pairs_of(items) if pair[0] != key)
    return _shortest(Items(kept, named=is_named(items)))


def _shortest(items: Items) -> tuple[str, ...]:
    """A list without gaps needs no keys."""
    plain = not items.named and items.keys == tuple(map(str, range(len(items))))
    return tuple(items) if plain else items
