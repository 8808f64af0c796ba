"""A text of a shell as the grammar of bash reads it right: what it has no place for stands as
something alike, each character in its place."""

from __future__ import annotations

import re
from collections.abc import Iterable

from iptlint.dialects.script.here_documents import bodies

_OTHER = re.compile(r"[^\x00-\x7f]")
_WORD = ","
"""Stands for what is not ASCII while the text is parsed: to the shell it is a part of words, and
the grammar's scanner asks C's tables of letters about it, beyond their end."""

# So many characters behind its begin at most stands the end of what is looked for: in a line of a
# million begins, each would be looked through to the end of the line.

_EXTENDED_PATTERN = re.compile(
    r"(\[\[[^\n]{0,200}?[=!]=[ \t]{1,9}[^\s()]{0,99}[@?*+!])(\([^()\s]*\))"
)
"""A pattern with a group of extglob, which `[[` takes always, and its group."""

_LATER_VARIABLE = re.compile(
    r"(\(\([^\n]{0,500}?\)\))|(?<=[\w,.:/@%+}^\"'-])(\$(?:\w+|[*@#]))[,./@%+~!^-]"
)
"""A further variable of a word, and the character behind it. There the grammar begins another word
(`$A,$B,53`), but not before a colon; sums are left as they are."""

_NUMBERED = re.compile(r"(?<![\\$])\$[0-9](?!\w)")
"""An argument by its number. As a later part of a word (`$1:$2`) the grammar knows none without a
name of letters."""

_LOOP_OVER_ARGUMENTS = re.compile(r"\b(for[ \t]+\w+)[ \t](?=[ \t]*do\b)")
"""`for i do`, where the grammar wants a `;`."""

_PIPED_LINES = re.compile(
    r"^((?=[^\n]*\|)(?![^\n]*(?:#|<<))[^\n]*(?<![\s\\|&;{(])(?<!\bthen)(?<!\bdo)(?<!\belse)(?<!\bin))\n"
    r"(?=[ \t]*[^\s#)};][^\n]*2>&1[ \t]*\|)",
    re.MULTILINE,
)
"""Two lines of pipes, of which the later has errors go through one, too: the grammar takes them for
one, and wants a `;` between them."""

_ASSIGNMENTS = re.compile(
    r"^([ \t]*(?:\w+=(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s\"';&|#()`])*[ \t]+)+"
    r"\w+=(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s\"';&|#()`])*)\n(?=[ \t]*\[[ \t])",
    re.MULTILINE,
)
"""A line of several assignments, which the grammar gives to a test on the next."""

_BASED = re.compile(r"(?<=[(\s,+*/-])([0-9]{1,2})#(?=[\w$])")
"""A number with its base (`10#$n`), which is a sum to the grammar."""

_ESCAPED_SIGN = re.compile(r"(?<=[}\"')\w])\\(?:\$| (?=\S))")
"""Behind an expansion or quotes the grammar begins another word with it."""

_PLAIN_COMMAND = re.compile(r"^([ \t]*)\\(?=\w)", re.MULTILINE)
"""A backslash before a command, against aliases. At the start of a line the grammar takes it for a
part of the line before."""

_PLAIN_DOLLAR = re.compile(r"(?<!\$)\$(?=[\s`|;&)/.,:%+=~^]|\Z)")
"""A dollar that begins nothing (`grep -v ^$`, `$.5`). The grammar has no place for most of them."""

_CONTINUED_WORD = re.compile(r"(?<=\")\\\n(?=[\w\"'$./:,-])")
"""An escaped end of a line within a word is nothing, as two quotes are that the grammar takes."""

_TEST = re.compile(r"(?<!\[)\[[ \t](?:\\\n|[^\n]){0,500}?[ \t]\](?=[\s;&|)]|\Z)")
_ESCAPED_ORDER = re.compile(r"(?<=[ \t])\\[<>](?=[ \t])")
_ESCAPED_BRACKET = re.compile(r"(?<=[ \t])\\([()])(?=[ \t])")
"""Within `[` people escape brackets, for the shell's sake; the grammar takes plain ones."""

_GROUP_BEFORE = re.compile(r"([;&\n][ \t]*\})[ \t](?=[ \t]*(?:then|else|elif|fi|do|done|esac)\b)")
"""Behind the `}` of a group the shell knows such a word (`} else {`); the grammar wants a `;`."""

_NAMED_LIKE_A_WORD = re.compile(
    r"^([ \t]*)(local|declare|typeset|readonly|export)(?=[ \t]*\(\)\s*\{)", re.MULTILINE
)
"""bash takes a function of such a name."""

_SHORT_CASE = re.compile(r"((?:^|;;&?|\bin[ \t])[ \t]*)[*?\w-](?=\)[^\s)])", re.MULTILINE)
"""A pattern of one character with its command right behind (`*)exit`): the grammar's scanner takes
it for the begin of a longer one."""

_INDENTED = re.compile(r"^[ \t]+(?=\$[\w({]|`)", re.MULTILINE)
"""Within a here-document the grammar's scanner leaves out blanks at the start of a line, and what
is to be expanded behind them, where nothing was expanded before."""


_ARGUMENT = re.compile(r"(?<!\\)\$[0-9@*#?](?!\w)")
"""In a here-document the grammar's scanner sees variables, but none without a name of letters."""


def as_grammar_reads(text: str) -> str:
    """The text as the grammar reads it right, each character in its place."""
    plain = _ESCAPED_SIGN.sub(_WORD * 2, _OTHER.sub(_WORD, text))
    plain = _PLAIN_DOLLAR.sub(_WORD, plain)
    plain = _LOOP_OVER_ARGUMENTS.sub(r"\1;", _NUMBERED.sub("$a", plain))
    plain = _BASED.sub(r"\1+", _ASSIGNMENTS.sub(r"\1;", plain))
    plain = _PIPED_LINES.sub(r"\1;", plain)
    plain = _PLAIN_COMMAND.sub(rf"\1{_WORD}", plain)
    plain = _GROUP_BEFORE.sub(r"\1;", _CONTINUED_WORD.sub('""', plain))
    plain = _TEST.sub(lambda found: _in_test(found[0]), plain)
    plain = _EXTENDED_PATTERN.sub(lambda found: found[1] + _WORD * len(found[2]), plain)
    plain = _NAMED_LIKE_A_WORD.sub(lambda found: found[1] + "_" * len(found[2]), plain)
    if "case" in plain:
        plain = _SHORT_CASE.sub(rf"\1{_WORD}", plain)
    if "<<" in plain and _INDENTED.search(plain):
        plain = _without_indents(plain)
    if "<<" in plain and _ARGUMENT.search(plain):
        plain = _with_named_arguments(plain)
    return _LATER_VARIABLE.sub(lambda found: found[1] or f"{found[2]}:", plain)


def _in_test(text: str) -> str:
    """The grammar knows `=` where `\\>` stands."""
    return _ESCAPED_BRACKET.sub(r" \1", _ESCAPED_ORDER.sub(" =", text))


def with_plain_tests(text: str, starts: Iterable[int]) -> str:
    """With the brackets of the tests that begin there made letters of words, as they are to the
    shell: the grammar knows a test that holds a redirection, and goes on for its end."""
    for start in starts:
        closing = _CLOSING.match(text, start)
        if closing is not None:
            inside = text[start + 1 : closing.end() - 1]
            text = f"{text[:start]}{_WORD}{inside}{_WORD}{text[closing.end() :]}"
    return text


def without_signs(text: str, places: Iterable[tuple[int, int]]) -> str:
    """With letters in their places."""
    for start, end in places:
        text = f"{text[:start]}{_WORD * (end - start)}{text[end:]}"
    return text


_CLOSING = re.compile(r"\[(?:\\\n|[^\n]){0,500}?[ \t]\](?=[\s;&|)]|\Z)")


def _with_named_arguments(text: str) -> str:
    pieces, at = [], 0
    for start, end in bodies(text):
        pieces += [text[at:start], _ARGUMENT.sub("$a", text[start:end])]
        at = end
    return "".join((*pieces, text[at:]))


def _without_indents(text: str) -> str:
    """With letters in the place of such blanks."""
    pieces, at = [], 0
    for start, end in bodies(text):
        body = _INDENTED.sub(lambda found: _WORD * len(found[0]), text[start:end])
        pieces += [text[at:start], body]
        at = end
    return "".join((*pieces, text[at:]))
