"""Whether bash takes a text, asked of its own grammar (parse.y).

The grammar that the tree comes from guesses at what was meant, and knows less of the shell than
the shell does. So what it has no place for is a mistake only where this one says so too. It makes
no tree, and what it is not sure of it takes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from iptlint.dialects.script.shell_words import NotSureError, RefusedError, Words


class Judgement(NamedTuple):
    """``place``: what bash has no place for, None where it takes the text up to its end, or up to
    an ``exit``. ``within``: where the line begins of what it was about to carry out: nothing from
    there on is. ``unended``: the last lines of here-documents that go on to the end of the text.
    ``sure``: not where it would take too long, or too many blocks in blocks, to find out."""

    place: int | None
    within: int
    unended: frozenset[str]
    sure: bool = True


def judged(text: str) -> Judgement:
    judge = _Judge(text)
    place, sure = None, True
    try:
        judge.program()
    except RefusedError as error:
        place = min(error.place, max(0, len(text) - 1))
    except (NotSureError, RecursionError):
        sure = False
    gives_up = place is not None or not sure
    within = text.rfind("\n", 0, judge.begun) + 1 if gives_up else len(text)
    return Judgement(place, within, frozenset(judge.unended), sure)


_DEEPEST = 120
"""Blocks in blocks; no person writes more than a few."""
_EASY = re.compile(
    r"(?!(?:if|then|elif|else|fi|for|while|until|select|case|esac|do|done|in|function|time|coproc"
    r"|exit|exec)\b)(?:\$\w++|[\w./-]++)"
    r"(?:[^'\"`$\\;&|<>(){}#\n]++|\"[^\"`$\\]*+\"|'[^']*+'|\$\w++)*+\n"
)
"""A line that is one command, without anything that is more than words."""
_SEPARATES = re.compile(r";(?![;&])|&(?!&)")
_JOINS = re.compile(r"&&|\|\|")
_PIPES = re.compile(r"\|&|\|(?!\|)")
_OF_TIME = re.compile(r"-p(?=\s)")
_NO_ARGUMENTS = re.compile(r"\([ \t]*\)")
_WITHIN_TEST = re.compile(r"&&|\|\||[()<>]")
_OPENING, _OR = re.compile(r"\("), re.compile(r"\|")
_ENDS_ITEM = re.compile(r";;&?|;&")
_REDIRECTS = re.compile(r"(?:\d+|\{\w+\})?(?:<<<|<<-?|<&|<>|>>|>\||>&|<(?!\()|>(?!\()|&>>?)")
_GOES = re.compile(r"exit(?![^ \t;])|exec[ \t]+[^\s;&|<>\d{]")
"""What bash does not come back from."""
_NEVER_FIRST = frozenset(("then", "elif", "else", "fi", "do", "done", "esac", "}"))


class _Judge(Words):
    """``begun``: where the command of the outermost list begins that is read."""

    begun = 0
    depth = 0
    _ended = False

    def program(self) -> None:
        """A line at a time, as bash reads it; what stands behind an ``exit`` it never does."""
        while not self._ended:
            self.newlines()
            self.begun = self.at
            if self.at >= len(self.text):
                return
            if not self.take(_EASY):
                self._line()

    def _line(self) -> None:
        while True:
            start, alone = self.at, self._and_or()
            self.blanks()
            if alone and _GOES.match(self.text, start, self.at):
                self._ended = True
            separated = self.take(_SEPARATES)
            self.blanks()
            if self.at >= len(self.text) or self.text[self.at] == "\n":
                return
            if not separated:
                raise RefusedError(self.at)

    # -- lists ------------------------------------------------------------------------------

    def commands(self, *ends: str) -> None:
        """A list up to one of the words that end it, which is left."""
        count = 0
        self.depth += 1
        if self.depth > _DEEPEST:
            raise NotSureError
        while True:
            self.newlines()
            if self.ends_at(ends):
                if not count:
                    raise RefusedError(self.at)
                break
            count += 1
            if not self.waiting and self.take(_EASY):
                continue
            self._and_or()
            self.blanks()
            if self.take(_SEPARATES) or self.text.startswith("\n", self.at):
                continue
            if not self.ends_at(ends):
                raise RefusedError(self.at)
            break
        self.depth -= 1

    def ends_at(self, ends: tuple[str, ...]) -> bool:
        if self.at >= len(self.text):
            raise RefusedError(self.at)
        return any(self.is_at(end) for end in ends)

    def _and_or(self) -> bool:
        """Whether it is one command."""
        alone = self._pipeline()
        while True:
            self.blanks()
            if not self.take(_JOINS):
                return alone
            alone = False
            self.newlines()
            self._pipeline()

    def _pipeline(self) -> bool:
        alone = True
        prefixed = False
        self.blanks()
        while (word := self.reserved()) in ("!", "time"):
            prefixed, alone = True, False
            self.at += len(word)
            self.blanks()
            self.take(_OF_TIME)
            self.blanks()
        if prefixed and (self.at >= len(self.text) or self.text[self.at] in "\n;&"):
            return False
        self._command()
        while True:
            self.blanks()
            if not self.take(_PIPES):
                return alone
            alone = False
            self.newlines()
            self._pipeline()

    # -- commands ---------------------------------------------------------------------------

    def _command(self) -> None:
        self.blanks()
        if self.text.startswith("((", self.at) and self.arithmetic("(("):
            self._redirects()
        elif self.text.startswith("(", self.at):
            self.at += 1
            self.commands(")")
            self.at += 1
            self._redirects()
        elif (word := self.reserved()) in _NEVER_FIRST:
            raise RefusedError(self.at)
        elif compound := _COMPOUNDS.get(word):
            self.at += len(word)
            compound(self)
            self._redirects()
        else:
            self._simple()

    def _simple(self) -> None:
        start, count, others = self.at, 0, 0
        while True:
            self.blanks()
            if self._redirect():
                others += 1
            elif self.text.startswith("(", self.at):
                if count != 1 or others or not self.take(_NO_ARGUMENTS):
                    raise RefusedError(self.at)
                self._function_body()
                return
            elif self.word(assigns=True):
                count += 1
            else:
                break
        if self.at == start or not count + others:
            raise RefusedError(self.at)

    def _function_body(self) -> None:
        self.newlines()
        if not self.text.startswith("(", self.at) and self.reserved() not in _BODIES:
            raise RefusedError(self.at)
        self._command()

    def _function(self) -> None:
        self.blanks()
        if not self.word():
            raise RefusedError(self.at)
        self.blanks()
        self.take(_NO_ARGUMENTS)
        self._function_body()

    def _redirects(self) -> None:
        self.blanks()
        while self._redirect():
            self.blanks()

    def _redirect(self) -> bool:
        operator = self.take(_REDIRECTS)
        if not operator:
            return False
        self.blanks()
        start = self.at
        if not self.word():
            raise RefusedError(start)
        kind = operator.lstrip("0123456789")
        if kind.endswith(("<<", "<<-")) and not kind.endswith("<<<"):
            self.waiting.append((self.text[start : self.at], kind.endswith("-")))
        return True

    # -- blocks -----------------------------------------------------------------------------

    def _braces(self) -> None:
        self.commands("}")
        self.at += 1

    def _if(self) -> None:
        self.commands("then")
        self.at += 4
        self.commands("elif", "else", "fi")
        while self.is_at("elif"):
            self.at += 4
            self.commands("then")
            self.at += 4
            self.commands("elif", "else", "fi")
        if self.is_at("else"):
            self.at += 4
            self.commands("fi")
        self.at += 2

    def _loop(self) -> None:
        self.commands("do")
        self._body()

    def _body(self) -> None:
        self.newlines()
        if self.is_at("{"):
            self.at += 1
            self._braces()
        elif self.is_at("do"):
            self.at += 2
            self.commands("done")
            self.at += 4
        else:
            raise RefusedError(self.at)

    def _for(self) -> None:
        self.blanks()
        if self.text.startswith("((", self.at):
            if not self.arithmetic("(("):
                raise NotSureError
            self.blanks()
        elif not self.word():
            raise RefusedError(self.at)
        else:
            self._list_of_items()
        self.take(_SEPARATES)
        self._body()

    def _list_of_items(self) -> None:
        self.newlines()
        if self.is_at("in"):
            self.at += 2
            self.blanks()
            while self.word():
                self.blanks()
            if not self.text.startswith(("\n", ";"), self.at):
                raise RefusedError(self.at)

    def _case(self) -> None:
        self.blanks()
        if not self.word():
            raise RefusedError(self.at)
        self.newlines()
        if not self.is_at("in"):
            raise RefusedError(self.at)
        self.at += 2
        while True:
            self.newlines()
            if self.ends_at(("esac",)):
                self.at += 4
                return
            self._item()

    def _item(self) -> None:
        self.take(_OPENING)
        self.blanks()
        while self.word():
            self.blanks()
            if not self.take(_OR):
                break
            self.blanks()
        if not self.text.startswith(")", self.at):
            raise RefusedError(self.at)
        self.at += 1
        self.newlines()
        if not self.ends_at(_ITEM_ENDS):
            self.commands(*_ITEM_ENDS)
        self.blanks()
        if not self.take(_ENDS_ITEM) and not self.is_at("esac"):
            raise RefusedError(self.at)

    def _test(self) -> None:
        """What stands between the brackets is not judged. Patterns are extended ones there."""
        extended, self.extended = self.extended, True
        while True:
            self.newlines()
            if self.ends_at(("]]",)):
                self.at += 2
                self.extended = extended
                return
            if self.text.startswith("=~", self.at):
                self.at += 2
                self.blanks()
                self.regular_expression()
            elif not self.word() and not self.take(_WITHIN_TEST):
                raise RefusedError(self.at)

    def _coprocess(self) -> None:
        self.blanks()
        self._command()


_ITEM_ENDS = (";;", ";&", "esac")
_COMPOUNDS: dict[str, Callable[[_Judge], None]] = {
    "{": _Judge._braces,
    "if": _Judge._if,
    "while": _Judge._loop,
    "until": _Judge._loop,
    "for": _Judge._for,
    "select": _Judge._for,
    "case": _Judge._case,
    "function": _Judge._function,
    "[[": _Judge._test,
    "coproc": _Judge._coprocess,
}
_BODIES = frozenset(_COMPOUNDS) - {"function", "coproc"}
