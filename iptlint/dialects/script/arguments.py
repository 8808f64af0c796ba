"""What a script is called with, and what it does then and otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.script import tree as t
from iptlint.dialects.script.symbolic_text import mark
from iptlint.model.numbers import decimal

_STARTS = ("start", "restart", "up", "load", "enable", "on", "apply", "reload")
"""What a script is taken to be called with, if it knows the word; the first it knows."""

_TELLS_ONLY = re.compile(
    r"-*(?:h|help|usage|v|version|status|list|show|debug|verbose|test|check|save|\d+"
    r"|(?:test_)?interfaces)"
)
"""Words with which a script changes nothing, or does the same and says more; with the last, those
that fwbuilder makes set addresses."""

_TAKES_AWAY = re.compile(
    r"-*(?:stop|down|off|disable|clear|clean|flush|reset|restore|rollback|unload|remove|uninstall"
    r"|(?:force-?|try-?|cond-?)?(?:restart|reload))"
)
"""Words with which a script takes away what it made, perhaps to make it again: every service does,
so this is noted, and no finding. Nor is what else there is beside ``start``."""

_SHOWN = 4


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """``left_out`` says what the script would do with other words, ``note`` the same of those that
    tell little of the rules that there are. ``guessed``: nobody has said what it is called with,
    and there may be more."""

    arguments: tuple[str, ...] = ()
    left_out: Diagnostic | None = None
    note: str = ""
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """Words that the first argument is compared with, for the same commands."""

    words: tuple[str, ...]
    place: t.Node


def call_of(file: t.ScriptFile, arguments: tuple[str, ...] | None) -> ScriptCall:
    """``start``, for a script that asks for it; none for one that does not. What somebody has said
    himself, he need not be told."""
    asked = [*_asked_for(file.statements, {"1"})]
    known = {word for each in asked for word in each.words}
    if arguments is not None:
        return ScriptCall(arguments)
    start = _default(file.statements, known) or next(filter(known.__contains__, _STARTS), None)
    arguments = () if start is None else (start,)
    others = _other_words(asked, arguments)
    usual = [word for word in others if start is not None or _TAKES_AWAY.fullmatch(word)]
    places = {word: place for word, place in others.items() if word not in usual}
    left_out = _left_out(file, arguments, places) if places else None
    note = f"{_said(arguments, usual)}; {_how_to_ask(usual)}" if usual else ""
    return ScriptCall(arguments, left_out, note, guessed=True)


def with_arguments(call: ScriptCall, file: t.ScriptFile) -> ScriptCall | None:
    """With as many words as it looks at, none of them known: for a script that does nothing without
    them, and does the same whichever they are."""
    looked_at = _LOOKED_AT.finditer(_OF_AWK.sub("", file.source.text))
    counted = [*_COUNTED.finditer(file.source.text)]
    numbers = [decimal(match[1] or match[2]) or 0 for match in looked_at]
    numbers += [(decimal(match[2] or "1") or 1) + (match[1] == "-le") for match in counted]
    if not (call.guessed and numbers) or call.arguments or call.left_out or call.note:
        return None
    exactly = [decimal(match[2]) or 0 for match in counted if match[1] in ("-ne", "!=")]
    return ScriptCall(tuple(mark(f"${n}") for n in range(1, max(exactly or numbers) + 1)))


_COUNTED = re.compile(
    r"^[^#\n]*?\$\{?#\}?\"?[ \t]*"
    r"(?:(-lt|-le|-ne|-ge|!=|<)[ \t]*\"?([1-9])|(?:-eq|-gt|-le|==?)[ \t]*\"?0)\b",
    re.MULTILINE,
)
"""What a script says it wants at least, or exactly, before it ends without them."""
_OF_AWK = re.compile(r"\bawk\b[^\n']*'[^'\n]*'")
"""Its `$1` is a field of a line."""
_LOOKED_AT = re.compile(r"^[^#\n]*?\$(?:\{([1-9])\b(?!:?-.)|([1-9])\b)", re.MULTILINE)
"""Where it has a value of its own for a word, it needs none."""


def _default(statements: Sequence[t.Statement], known: set[str]) -> str | None:
    """What the script does when it is called without a word: ``${1:-install}``."""
    words = (_plain(word) for word in _defaults(statements))
    doing = (w for w in words if w in known and not _TELLS_ONLY.fullmatch(w))
    return next((word for word in doing if not _TAKES_AWAY.fullmatch(word)), None)


def _defaults(statements: Sequence[t.Statement]) -> Iterator[t.Word]:
    for statement in statements:
        words: tuple[t.Word | None, ...] = ()
        match statement:
            case t.Command(assignments):
                words = tuple(each.value for each in assignments)
            case t.Case(subject):
                words = (subject,)
        for part in (part for word in words if word for part in word.parts):
            if isinstance(part, t.Parameter) and part.argument and _is_default(part):
                yield part.argument
        for body in _bodies(statement):
            yield from _defaults(body)


def _is_default(part: t.Parameter) -> bool:
    return part.name == "1" and not part.prefix and part.operator in ("-", ":-")


def _other_words(asked: Sequence[_Asked], arguments: tuple[str, ...]) -> dict[str, t.Node]:
    """Those with which the script does something else, and where they stand."""
    first = arguments[0].lower() if arguments else ""
    chosen = {word for each in asked if first in each.words for word in each.words}
    return {
        word: each.place
        for each in asked
        for word in each.words
        if word not in chosen and not _TELLS_ONLY.fullmatch(word)
    }


def _left_out(
    file: t.ScriptFile, arguments: tuple[str, ...], places: Mapping[str, t.Node]
) -> Diagnostic:
    words = [*places]
    place = places[words[0]]
    said = f"the script is {_said(arguments, words)}"
    return Diagnostic(
        "IPT002", "info", place.start, place.end, said, _how_to_ask(words), file.source
    )


def _said(arguments: tuple[str, ...], words: Sequence[str]) -> str:
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    call = f"called with `{' '.join(arguments)}`" if arguments else "called without arguments"
    return f"read as if {call}: what it does with {', '.join(words[:_SHOWN])}{more} is left out"


def _how_to_ask(words: Sequence[str]) -> str:
    return f"{_ASK}{words[0]}"


_ASK = "ask for it with --script-args "


def asks_for_words(diagnostic: Diagnostic) -> bool:
    """Whether it says what the script would do with other words."""
    return diagnostic.help.startswith(_ASK)


def _asked_for(statements: Sequence[t.Statement], from_first: set[str]) -> Iterator[_Asked]:
    """What the first argument is compared with, itself or by a variable that it was put in."""
    for statement in statements:
        match statement:
            case t.Command(assignments, words):
                for each in assignments:
                    if _is_of(each.value, from_first):
                        from_first.add(each.name)
                if _is_test(words) and any(_is_of(word, from_first) for word in words):
                    yield _Asked(tuple(_plain_ones(words[1:])), statement)
            case t.Case(subject, items) if _is_of(subject, from_first):
                for item in items:
                    yield _Asked(tuple(_plain_ones(item.patterns)), item.patterns[0])
            case t.Test(words) if any(_is_of(word, from_first) for word in words):
                yield _Asked(tuple(_plain_ones(words)), statement)
        for body in _bodies(statement):
            yield from _asked_for(body, from_first)


def asked_in(statements: Sequence[t.Statement]) -> frozenset[str]:
    """Which of the arguments, by their numbers, are compared with words."""
    return frozenset(n for n in _ARGUMENTS if any(True for _ in _asked_for(statements, {n})))


def _is_test(words: Sequence[t.Word]) -> bool:
    """Whether a command is `[` by its other name."""
    return bool(words) and _plain(words[0]) == "test"


def given_in(statements: Sequence[t.Statement]) -> frozenset[str]:
    """The variables that hold an argument of the script, as it is."""
    return frozenset(_given(statements))


def _given(statements: Sequence[t.Statement]) -> Iterator[str]:
    for statement in statements:
        if isinstance(statement, t.Command):
            for each in statement.assignments:
                parts = () if each.value is None or each.append else each.value.parts
                if len(parts) == 1 and _is_argument(parts[0]):
                    yield each.name
        for body in _bodies(statement):
            yield from _given(body)


def _is_argument(part: t.Part) -> bool:
    if not isinstance(part, t.Parameter) or part.operator or part.prefix:
        return False
    return part.name in _ARGUMENTS


_ARGUMENTS = frozenset("123456789")


def _bodies(statement: t.Statement) -> Iterator[Sequence[t.Statement]]:
    """The statements that it holds, as far as they are carried out where it stands."""
    match statement:
        case t.Case(_, items):
            yield from (item.body for item in items)
        case t.If(branches, otherwise):
            yield from ((*branch.condition, *branch.body) for branch in branches)
            yield otherwise or ()
        case t.Listing(first, rest):
            yield (first, *(s for _, s in rest))
        case t.Group(body) | t.While(body=body):
            yield body


def _is_of(word: t.Word | None, names: set[str]) -> bool:
    return word is not None and not names.isdisjoint(_names(word))


def _plain_ones(words: Iterable[t.Word]) -> Iterator[str]:
    return (text for word in words if (text := _plain(word)))


def _names(word: t.Word) -> set[str]:
    """Of the variables that stand there as they are: of `--fw=ufw`, `${1#*=}` is a part."""
    whole = (p for p in word.parts if isinstance(p, t.Parameter) and not p.prefix)
    return {part.name for part in whole if part.operator in _KEEPING}


_KEEPING = frozenset({"", "-", ":-", "=", ":=", "?", ":?", ",", ",,", "^", "^^"})


def _plain(word: t.Word) -> str | None:
    texts = [part.text for part in word.parts if isinstance(part, t.Text)]
    text = "".join(texts).strip().lower()
    return text if len(texts) == len(word.parts) and re.fullmatch(r"\w+", text) else None
