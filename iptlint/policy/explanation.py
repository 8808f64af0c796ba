"""A ruleset in sentences: what an explanation is made of."""

from __future__ import annotations

from dataclasses import dataclass

from iptlint.model import Family
from iptlint.source import Span


@dataclass(frozen=True, slots=True)
class Sentence:
    """``places``: the lines that it is about, the weightiest first. ``points``: what it lists."""

    text: str
    places: tuple[Span, ...] = ()
    points: tuple[Sentence, ...] = ()


@dataclass(frozen=True, slots=True)
class WholeOf:
    """What a host lets in, through and out over one family, proved over all packets. ``family``:
    None where it is the same over both."""

    family: Family | None
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class ChainOf:
    """A chain: ``title`` says which, and when packets come to it."""

    title: str
    place: Span
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """``notes``: what is left out."""

    host: str
    whole: tuple[WholeOf, ...]
    chains: tuple[ChainOf, ...]
    notes: tuple[str, ...] = ()
