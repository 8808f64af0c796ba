"""Words to fields: what the shell makes of variables, quotes, braces and blanks.

As in POSIX's "Word Expansions"; names of files are left as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from iptlint.dialects.script import tree as t
from iptlint.dialects.script.arithmetic import calculated
from iptlint.dialects.script.array_items import index_of
from iptlint.dialects.script.arrays import is_named, keys_of
from iptlint.dialects.script.brace_expansion import TooManyError, braces
from iptlint.dialects.script.environment import Environment
from iptlint.dialects.script.globs import glob
from iptlint.dialects.script.symbolic_text import BLANKS, WHOLE, is_known, mark, pieces
from iptlint.dialects.script.value_edits import EDITS, replaced
from iptlint.model.numbers import decimal

Output = Callable[[t.Substitution], str]
"""What the commands in a substitution print."""

Excess = Callable[[t.Word], None]
"""Is told of a word of which braces make more than anybody follows."""

_MOST_EDITED = 4000
"""Characters of a value that ``${x%…}`` and its like are worked out of."""
_QUOTED_LISTS = ("@",)


def highest_argument(words: Iterable[t.Word]) -> int:
    """The last of the script's arguments that the words stand for as they are; 0 for none."""
    parts = (part for word in words for part in word.parts if isinstance(part, t.Parameter))
    return max((decimal(part.name) or 0 for part in parts if not part.operator), default=0)


def cost_of(values: Sequence[str]) -> int:
    """Of looking at all values of a list once, counted in words that stand for one."""
    return len(values) // _LOOKED_AT + sum(map(len, values)) // _CHARACTERS


_LOOKED_AT, _CHARACTERS = 50, 1000


def plain_names(words: Iterable[t.Word]) -> list[str]:
    """Of the variables that the words stand for as they are."""
    parts = (part for word in words for part in word.parts if isinstance(part, t.Parameter))
    return [part.name for part in parts if not part.operator and part.name.isidentifier()]


@dataclass(slots=True)
class _Field:
    text: str = ""
    there: bool = False  # an empty field in quotes counts


class Expander:
    """``file``: the name of one that holds what commands print. ``expand`` is told of how many
    fields a word becomes more than one."""

    def __init__(
        self,
        environment: Environment,
        output: Output,
        file: Callable[[t.Printed], str],
        excess: Excess,
        text: str,
        expand: Callable[[int], None],
    ) -> None:
        self.environment = environment
        self.output = output
        self.file = file
        self.excess = excess
        self.source = text
        self.expand = expand

    def fields(self, words: Iterable[t.Word]) -> list[str]:
        return [field for word in words for field in self.of_word(word)]

    def of_word(self, word: t.Word) -> list[str]:
        try:
            words = braces(word)
        except TooManyError:
            self.excess(word)
            return [mark(self.source[word.start : word.end])]
        fields = [field for each in words for field in self._split(each)]
        self.expand(max(len(fields) - 1, 0))
        return fields

    def text(self, word: t.Word | None) -> str:
        """The word as an assignment, a redirection or a here document takes it: one field."""
        return "" if word is None else "".join(map(self.joined, word.parts))

    def pattern(self, word: t.Word) -> re.Pattern[str] | None:
        """What ``case`` and ``${x%…}`` compare with; None where it is not known."""
        texts = [(self.joined(part), part.quoted) for part in word.parts]
        return glob(*texts) if all(is_known(text) for text, _ in texts) else None

    # -- parts ----------------------------------------------------------------

    def _split(self, word: t.Word) -> Iterator[str]:
        separators = self.environment.separators()
        current = _Field()
        for part in word.parts:
            values = self._values(part)
            quoted = part.quoted or self._is_quoted_default(part, values)
            if quoted or isinstance(part, t.Text):
                yield from _glued(current, values, quoted=quoted)
            else:
                for index, value in enumerate(values):
                    if index:
                        yield from _ended(current)
                    yield from _spread(current, value, separators)
        yield from _ended(current)

    def _is_quoted_default(self, part: t.Part, values: Sequence[str]) -> bool:
        """Whether the value is that of ``${x:-"a b"}``, which is not split."""
        if not isinstance(part, t.Parameter) or part.operator[-1:] not in tuple("-+="):
            return False
        argument = part.argument
        if argument is None or not argument.parts or not all(p.quoted for p in argument.parts):
            return False
        return list(values) == [self.text(argument)]

    def joined(self, part: t.Part) -> str:
        """The part as one text."""
        return self._joint(part).join(self._values(part))

    def _joint(self, part: t.Part) -> str:
        """What stands between the words of an array that become one: of ``$*`` the first of IFS."""
        star = isinstance(part, t.Parameter) and "*" in (part.name, part.index)
        return self.environment.separators()[:1] if star else " "

    def _values(self, part: t.Part) -> list[str]:
        """One value, or as many as ``$@`` has."""
        match part:
            case t.Text(text):
                return [text]
            case t.Parameter():
                return self._parameter(part)
            case t.Substitution():
                return [self.output(part)]
            case t.Printed():
                return [self.file(part)]
            case t.Arithmetic(text):
                return [self._arithmetic(text)]
            case t.Opaque(start=start, end=end):
                return [mark(self.source[start:end])]

    def _arithmetic(self, text: str) -> str:
        value = calculated(text, self.environment)
        return mark(f"$(({text}))") if value is None else str(value)

    # -- parameters -----------------------------------------------------------

    def _parameter(self, part: t.Parameter) -> list[str]:
        value = self.environment.get(part.name)
        if isinstance(value, tuple):
            self.expand(cost_of(value))
        if part.prefix == "!" and part.index in ("@", "*"):
            return self._indices(part.name, value)
        if part.prefix == "!":
            return [self._indirect(part)]
        if part.operator[-1:] in tuple("-=+?") and self.environment.is_default(part.name):
            value = None
        if part.index is not None:
            value = self._element(part.name, part.index)
        elif isinstance(value, tuple) and part.name not in ("@", "*"):
            value = value[0] if value else None
        if part.prefix == "#":
            return [self._length(value)]
        if part.operator:
            return self._changed(part, value)
        if value is None:
            return [] if part.index in ("@", "*") else [""]
        return [self._named(part, value)] if isinstance(value, str) else self._listed(part, value)

    def _named(self, part: t.Parameter, value: str) -> str:
        """What is not known at all is called by the variable that was used for it."""
        if re.match(r"(?!_unknown_)[A-Za-z_]", part.name) and WHOLE.fullmatch(value):
            return mark(f"${part.name}")
        return value

    def _listed(self, part: t.Parameter, values: tuple[str, ...]) -> list[str]:
        star = part.name == "*" or part.index == "*"
        return [self._joint(part).join(values)] if star and part.quoted else list(values)

    def _element(self, name: str, index: str) -> str | tuple[str, ...] | None:
        if index in ("@", "*"):
            return self.environment.items(name)
        key = index_of(index, name, self.environment)
        if key is not None and not self.environment.has_item(name, key):
            return None
        return self.environment.item(name, key)

    def _length(self, value: str | tuple[str, ...] | None) -> str:
        if isinstance(value, tuple) and not all(
            map(is_known, keys_of(value) if is_named(value) else value)
        ):
            return mark("${#…}")
        if value is None or isinstance(value, tuple):
            return str(len(value or ()))
        return str(len(value)) if is_known(value) else mark("${#…}")

    def _indices(self, name: str, value: str | tuple[str, ...] | None) -> list[str]:
        items = (value,) if isinstance(value, str) else value or ()
        known = all(map(is_known, keys_of(items) if is_named(items) else items))
        return list(keys_of(items)) if known else [mark(f"${{!{name}[@]}}")]

    def _indirect(self, part: t.Parameter) -> str:
        name = self.environment.text(part.name)
        return self.environment.text(name) if is_known(name) else mark(f"${{!{part.name}}}")

    def _changed(self, part: t.Parameter, value: str | tuple[str, ...] | None) -> list[str]:
        operator = part.operator
        if operator[-1] in "-=+?":
            return self._or_else(part, value)
        if isinstance(value, tuple) and operator == ":":
            return self._slice(part, value)
        if isinstance(value, tuple):
            return [self._edited(part, each) for each in value]
        return [self._edited(part, value or "")]

    def _or_else(self, part: t.Parameter, value: str | tuple[str, ...] | None) -> list[str]:
        """``${x:-…}`` and its like."""
        unset = value is None or (part.operator[0] == ":" and value in ("", ()))
        text = value if isinstance(value, str) else " ".join(value or ())
        if part.operator[-1] == "+":
            return [""] if unset else [self.text(part.argument)]
        if isinstance(value, str) and WHOLE.fullmatch(value):
            return [mark(f"${part.name}")]
        if not unset:
            return list(value) if isinstance(value, tuple) and part.name == "@" else [text]
        instead = self.text(part.argument)
        if part.operator[-1] == "?":
            # Who runs it gives a value; of arguments that is told where they are needed.
            return ["" if decimal(part.name) else mark(f"${part.name}")]
        if part.operator[-1] == "=":
            self.environment.set(part.name, instead)
        return [instead]

    def _edited(self, part: t.Parameter, value: str) -> str:
        argument = part.argument
        edit = EDITS.get(part.operator)
        unknown = mark(f"${part.name}")
        if part.operator == ":" and argument is not None and is_known(value):
            piece = self._piece(self.text(argument), value)
            return unknown if piece is None else piece
        if edit is None or argument is None or not is_known(value) or len(value) > _MOST_EDITED:
            return unknown
        if part.operator.startswith("/"):
            made = replaced(self.text(argument), value, part.operator)
            return unknown if made is None else made
        pattern = self.pattern(argument)
        return unknown if pattern is None else edit(pattern, value)

    def _piece(self, argument: str, value: str) -> str | None:
        """``${x:1:2}``."""
        bounds = self._bounds(argument)
        if bounds is None or abs(bounds[0]) > len(value):
            return None
        return value[bounds[0] :][: bounds[1]]

    def _slice(self, part: t.Parameter, values: tuple[str, ...]) -> list[str]:
        """``${x[@]:1:2}``; of the arguments, ``$0`` is the first."""
        items = (self.environment.name, *values) if part.name in ("@", "*") else values
        bounds = self._bounds(self.text(part.argument))
        if bounds is None or abs(bounds[0]) > len(items) or not all(map(is_known, items)):
            return [mark(f"${part.name}")]
        return list(items[bounds[0] :][: bounds[1]])

    def _bounds(self, argument: str) -> tuple[int, int | None] | None:
        """From where on, and how many; less than none is counted from the end."""
        first, _, count = argument.partition(":")
        start, length = calculated(first, self.environment), calculated(count, self.environment)
        if start is None or (count and length is None):
            return None
        return start, length if count else None


def _glued(current: _Field, values: list[str], *, quoted: bool) -> Iterator[str]:
    for index, value in enumerate(values):
        if index:
            yield from _ended(current)
        current.text += value
        current.there |= bool(value) or quoted


def _spread(current: _Field, value: str, separators: str) -> Iterator[str]:
    """A value outside quotes, split where it has blanks."""
    if not value:
        return
    parts = pieces(value, separators)
    if value[0] in separators and value[0] in BLANKS:
        yield from _ended(current)
    for index, part in enumerate(parts):
        if index:
            yield from _ended(current)
        current.text += part
        current.there = True
    if parts and value[-1] in separators:
        yield from _ended(current)


def _ended(current: _Field) -> Iterator[str]:
    if current.there:
        yield current.text
    current.text, current.there = "", False
