"""What a row of the extension table is made of.

An extension (a match or a target) is one row: its options, and a function that
turns what was given into tests, a verdict and effects. The parser reads names,
arities and negation from here; nothing else in the tool compares option names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.model import Effect, Family, Match, Verdict

Value = Callable[[str, Family], object]
"""Reads one argument. Raises ``InvalidValueError`` where the real tool refuses it."""


@dataclass(frozen=True, slots=True)
class Option:
    """``name`` without dashes. ``values``: a reader for each argument (none for a flag).

    ``repeatable``: may be given more than once; ``required``: the extension is refused without it.
    ``optional``: the argument may be left out.
    """

    name: str
    values: tuple[Value, ...] = ()
    invertible: bool = False
    required: bool = False
    repeatable: bool = False
    optional: bool = False
    short: str | None = None


@dataclass(frozen=True, slots=True)
class GivenOption:
    """One option as a rule gives it: its arguments, read, and their text."""

    option: Option
    negated: bool
    values: tuple[object, ...]
    texts: tuple[str, ...]


Uses = Mapping[str, tuple[GivenOption, ...]]
"""The options given to one extension, by long name, in the order of the text."""


@dataclass(frozen=True, slots=True)
class ExtensionResult:
    """What one extension contributes to a rule."""

    matches: tuple[Match, ...] = ()
    verdict: Verdict | None = None
    effects: tuple[Effect, ...] = ()
    comment: str | None = None


Lower = Callable[[Uses, Family], ExtensionResult]
"""Raises ``InvalidValueError`` where the options do not go together."""


Check = Callable[[Uses, Family], InvalidValueError | None]
"""What is wrong with options that have a meaning all the same; None where nothing is."""

ChainsFor = Callable[[Uses], tuple[str, ...]]
"""The built-in chains that options may stand in or below; empty: any."""


@dataclass(frozen=True, slots=True, eq=False)
class Extension:
    """A match or target.

    ``tables`` and ``chains``: where a target may stand (empty: anywhere); ``legacy_tables`` is of
    iptables-legacy only. ``chains_for``: the chains that the options allow, which iptables-nft
    looks at in built-in chains only. ``checks``: what else the tool or the kernel looks at.
    """

    name: str
    options: tuple[Option, ...]
    lower: Lower
    families: tuple[Family, ...] = (Family.IP, Family.IP6)
    aliases: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    chains: tuple[str, ...] = ()
    legacy_tables: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    chains_for: ChainsFor | None = None
