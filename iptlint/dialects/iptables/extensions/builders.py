"""What the rows of the extension table are built with.

``opt`` writes an option, ``match`` and ``target`` a row; the rest are the lower
functions that extensions of one nature share: tests on fields, opaque tests,
uncertain tests, verdicts, and the checks on which options go together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import cast

from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.dialects.iptables.extensions.row import (
    ChainsFor,
    Check,
    Extension,
    ExtensionResult,
    GivenOption,
    Lower,
    Option,
    Uses,
    Value,
)
from iptlint.dialects.iptables.extensions.values import show
from iptlint.dialects.uninterpreted import uninterpreted
from iptlint.maker import maker
from iptlint.model import (
    AnyOf,
    Effect,
    EffectKind,
    Family,
    Field,
    Masked,
    Match,
    Uncertain,
    Verdict,
    VerdictKind,
    Within,
)
from iptlint.model.matches import Asked

Test = Callable[[GivenOption, Family], tuple[Match, ...]]
"""What one given option tests."""

BOTH = (Family.IP, Family.IP6)
IP_ONLY, IP6_ONLY = (Family.IP,), (Family.IP6,)
NEVER: tuple[Match, ...] = (AnyOf(()),)
NOT_A_LATER_FRAGMENT: tuple[Match, ...] = (Within(Field.FRAGMENT, ((0, 0),)),)
"""What every test of a layer-4 header implies: later fragments have none (xt_tcpudp.c)."""

CANONICAL: dict[tuple[str, str], Option] = {}
"""(extension, spelling) to the option it is another name of."""


# -- rows ---------------------------------------------------------------------


def opt(
    names: str,
    *values: Value,
    inv: bool = False,
    req: bool = False,
    rep: bool = False,
    optional: bool = False,
    short: str | None = None,
) -> tuple[Option, ...]:
    """One option; the names after the first are other spellings of it."""
    first, *others = names.split()
    main = Option(first, values, inv, req, rep, optional, short)
    return main, *(Option(name, values, inv, False, rep, optional) for name in others)


def row(
    name: str,
    *options: tuple[Option, ...],
    lower: Lower,
    families: tuple[Family, ...] = (Family.IP, Family.IP6),
    aliases: str = "",
    tables: str = "",
    chains: str = "",
    checks: tuple[Check, ...] = (),
    chains_for: ChainsFor | None = None,
    legacy_tables: str = "",
) -> Extension:
    for main, *others in options:
        CANONICAL.update({(name, other.name): main for other in others})
    flat = tuple(option for spellings in options for option in spellings)
    a, t, c, legacy = (tuple(w.split()) for w in (aliases, tables, chains, legacy_tables))
    return Extension(name, flat, lower, families, a, t, c, legacy, checks, chains_for)


def canonical(extension: str, option: Option) -> Option:
    """The option under its main name."""
    return CANONICAL.get((extension, option.name), option)


# -- reading what was given ---------------------------------------------------


def all_given(uses: Uses) -> Iterable[GivenOption]:
    return (given for several in uses.values() for given in several)


def value_of(uses: Uses, name: str) -> object:
    """The (first) argument of an option; None where it is not given."""
    return uses[name][0].values[0] if name in uses else None


def number_of(uses: Uses, name: str) -> int:
    value = value_of(uses, name)
    assert isinstance(value, int)
    return value


def pair_of(given: GivenOption) -> tuple[int, int]:
    """The argument of an option that reads ``(int, int)``."""
    return cast("tuple[int, int]", given.values[0])


def spell(given: GivenOption) -> str:
    """``--name value``, canonical, without its negation."""
    return " ".join([f"--{given.option.name}", *map(show_value, given.values)])


def show_value(value: object) -> str:
    if type(value) is tuple and len(value) == 2 and all(type(end) is int for end in value):
        return f"{value[0]}:{value[1]}"
    return show(value)


def spell_all(
    uses: Uses, defaults: Collection[str] = (), without_negation: Collection[str] = ()
) -> str:
    """Every option, sorted, negation included (not of the options ``without_negation``);
    ``defaults`` are the ones to leave out."""
    words = [
        f"{'! ' if given.negated and given.option.name not in without_negation else ''}{text}"
        for given in all_given(uses)
        if (text := spell(given)) not in defaults
    ]
    return " ".join(sorted(words))


# -- tests on fields ----------------------------------------------------------


def within(field: Field, width: int, *, printed: bool = True) -> Test:
    """The field lies in the range given; all of it is no test.

    ``printed``: iptables-save prints the negation of all of it, which never matches.
    """
    top = (1 << width) - 1

    def test(given: GivenOption, _: Family) -> tuple[Match, ...]:
        low, high = pair_of(given)
        if low > high:
            return () if given.negated else NEVER
        if (low, high) == (0, top):
            return everything(given, printed=printed)
        return (Within(field, ((low, high),), given.negated),)

    return test


def everything(given: GivenOption, *, printed: bool = False) -> tuple[Match, ...]:
    """A range that holds every value; 1.8.9 may print its negation as no test at all."""
    if given.negated and not printed:
        raise InvalidValueError(
            "a range that leaves something out: the negation of every value never matches, "
            "and iptables-save prints it as no test",
            refused=True,
            never=True,
        )
    return NEVER if given.negated else ()


def equals(field: Field) -> Test:
    return lambda given, _: (Within(field, ((number(given), number(given)),), given.negated),)


def number(given: GivenOption) -> int:
    value = given.values[0]
    assert isinstance(value, int)
    return value


def masked(field: Field, width: int) -> Test:
    """``field & mask == value`` for an argument ``(value, mask)``."""

    def test(given: GivenOption, _: Family) -> tuple[Match, ...]:
        value, mask = pair_of(given)
        return masked_test(field, width, value, mask, negated=given.negated)

    return test


def masked_test(
    field: Field, width: int, value: int, mask: int, *, negated: bool = False
) -> tuple[Match, ...]:
    """A value with bits outside its mask never matches."""
    if value & ~mask:
        return () if negated else NEVER
    if mask == 0:
        return NEVER if negated else ()
    if mask == (1 << width) - 1:
        return (Within(field, ((value, value),), negated),)
    return (Masked(field, mask, value, negated),)


def field_tests(by_option: Mapping[str, Test], implied: tuple[Match, ...] = ()) -> Lower:
    """Each option is a test of its own; ``implied`` come first."""

    def lower(uses: Uses, family: Family) -> ExtensionResult:
        matches = list(implied)
        for given in all_given(uses):
            matches.extend(by_option[given.option.name](given, family))
        return ExtensionResult(tuple(matches))

    return lower


# -- opaque and uncertain tests -----------------------------------------------


def _nothing(_: object) -> None:
    return None


def pure(name: str, asks: Callable[[GivenOption], Asked | None] = _nothing) -> Lower:
    """Each option is an opaque test of its own."""

    def lower(uses: Uses, _: Family) -> ExtensionResult:
        tests = (uninterpreted(f"{name} {spell(g)}", g.negated, asks(g)) for g in all_given(uses))
        return ExtensionResult(tuple(tests))

    return lower


def each_opaque(
    name: str, option: str, words: Mapping[str, Asked | None], *, negated: bool
) -> Match:
    """One of the words of a list holds: one opaque test each, so that lists can be compared."""
    tests = tuple(
        uninterpreted(f"{name} --{option} {word}", asks=asks) for word, asks in words.items()
    )
    if len(tests) == 1:
        return replace(tests[0], negated=negated)
    return AnyOf(tuple((test,) for test in tests), negated)


def opaque(name: str) -> Test:
    return lambda given, _: (uninterpreted(f"{name} {spell(given)}", given.negated),)


def joint(
    name: str,
    *inverters: str,
    defaults: Collection[str] = (),
    asks: Callable[[Uses], Asked | None] = _nothing,
) -> Lower:
    """All options together are one opaque test; an ``inverter`` given negated negates it."""

    def lower(uses: Uses, _: Family) -> ExtensionResult:
        negated = any(g.negated for i in inverters for g in uses.get(i, ()))
        key = spell_all(uses, defaults, without_negation=inverters)
        test = uninterpreted(f"{name} {key}".rstrip(), negated, asks(uses))
        return ExtensionResult((test,))

    return lower


def uncertain(
    name: str, defaults: Collection[str] = (), asks: Callable[[Uses], Asked] | None = None
) -> Lower:
    """All options together are one test that depends on more than the packet."""

    def lower(uses: Uses, _: Family) -> ExtensionResult:
        key = f"{name} {spell_all(uses, defaults)}".rstrip()
        return ExtensionResult((Uncertain(name, key, asks(uses) if asks else None),))

    return lower


# -- verdicts -----------------------------------------------------------------


def verdict(
    kind: VerdictKind,
    name: str,
    *effects: Effect,
    defaults: Collection[str] = (),
    words: str | Callable[[Uses], str] = "",
) -> Lower:
    """``words``: as ``Verdict`` has them."""

    def lower(uses: Uses, _: Family) -> ExtensionResult:
        said = words if isinstance(words, str) else words(uses)
        of_kind = Verdict(kind, name, None, spell_all(uses, defaults), words=said)
        return ExtensionResult(verdict=of_kind, effects=effects)

    return lower


def goes_on(name: str, *effects: Effect, defaults: Collection[str] = ()) -> Lower:
    return verdict(VerdictKind.CONTINUE, name, *effects, defaults=defaults)


def write(field: Field, mask: int | None = None, value: int | None = None) -> Effect:
    return _effect(EffectKind.WRITE, field, mask, value)


_effect = maker(Effect)


# -- which options go together ------------------------------------------------


def need_one(*names: str, then: Lower) -> Lower:
    """At least one of the options has to be given."""

    def lower(uses: Uses, family: Family) -> ExtensionResult:
        if not any(name in uses for name in names):
            raise InvalidValueError("one of " + ", ".join(f"--{name}" for name in names))
        return then(uses, family)

    return lower


def at_most_one(*names: str, then: Lower) -> Lower:
    """The options exclude each other."""

    def lower(uses: Uses, family: Family) -> ExtensionResult:
        both = [name for name in names if name in uses]
        if len(both) > 1:
            raise InvalidValueError(f"only one of --{both[0]} and --{both[1]}")
        return then(uses, family)

    return lower


def just_one(*names: str, then: Lower) -> Lower:
    return need_one(*names, then=at_most_one(*names, then=then))


def together(name: str, *others: str, then: Lower) -> Lower:
    """With ``name``, the others are needed too."""

    def lower(uses: Uses, family: Family) -> ExtensionResult:
        missing = [other for other in others if other not in uses]
        if name in uses and missing:
            raise InvalidValueError(f"--{missing[0]} beside --{name}")
        return then(uses, family)

    return lower


def counts_as(old: str, new: Option, *, then: Lower) -> Lower:
    """The option ``old`` is another way to write ``new``."""

    def lower(uses: Uses, family: Family) -> ExtensionResult:
        if old not in uses:
            return then(uses, family)
        renamed = tuple(GivenOption(new, g.negated, g.values, g.texts) for g in uses[old])
        return then({k: v for k, v in uses.items() if k != old} | {new.name: renamed}, family)

    return lower


def only_where(there: tuple[Match, ...], lower: Lower) -> Lower:
    """``lower`` for packets that have what is tested. A test that holds says so itself, so only
    negated ones have to ask; so does the mere name of a header."""

    def lowered(uses: Uses, family: Family) -> ExtensionResult:
        tests = lower(uses, family).matches
        asks = not tests or any(given.negated for given in all_given(uses))
        return ExtensionResult((*(there if asks else ()), *tests))

    return lowered


def one_option(
    name: str,
    option: str,
    value: Value,
    *,
    families: tuple[Family, ...] = BOTH,
    lower: Lower | None = None,
) -> Extension:
    """A match of one required option that may be negated."""
    return row(
        name, opt(option, value, inv=True, req=True), lower=lower or pure(name), families=families
    )


def write_exactly(field: Field, width: int, value: int | None) -> Effect:
    return write(field, None if value is None else (1 << width) - 1, value)
