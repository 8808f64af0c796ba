"""Where one statement ends."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum

from iptlint.dialects.nft.parsing import blocks
from iptlint.dialects.nft.parsing.errors import NftSyntaxError, TooDeepError

_STOP = re.compile(r'"[^"\n]*"?|#|\\\r?\n|[{}();\n]')
"""What may end a statement or hide its end."""


_SYNPROXY = re.compile(r"(?:(?:add|create)\s+)?synproxy\s[^{}]*\bmss\s+[0-9]+\b[^{}]*")
_ITS_NEXT = re.compile(r"[;\n]\s*(?:wscale|timestamp|sack-perm)\b")
"""A command that defines a synproxy may have separators between its values."""


class _Outcome(Enum):
    GO_ON = "go on"
    END = "end"
    OUTER_BRACE = "outer brace"


class Ends:
    """Goes over the text of one statement; ``at`` is how far it came."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self._start = at
        self.at = at
        self._braces: list[int] = []
        self._brackets: list[int] = []

    def next_brace(self) -> int | None:
        """The next brace that is in no other; None at the end, which is then ``at``.

        NftSyntaxError where a brace or a quote is never closed, or all is nested too deeply.
        """
        while match := _STOP.search(self._text, self.at):
            self.at = match.start()
            outcome = _HANDLERS[match[0][0]](self, match)
            if outcome is _Outcome.OUTER_BRACE:
                return self.at
            if outcome is _Outcome.END:
                return None
        self.at = len(self._text)
        self._must_be_closed()
        return None

    def enter(self) -> None:
        """Take the brace at ``at`` for that of a set, and go on behind it."""
        self._braces.append(self.at)
        self.at += 1
        self._nested(self._braces[-1])

    def _nested(self, bracket: int) -> None:
        self._brackets.append(bracket)
        if len(self._brackets) > blocks.MAX_BRACKETS:
            first = self._brackets[0]
            message = "Braces and parentheses are nested too deeply"
            self._leave_line()
            raise TooDeepError(message, start=first, end=first + 1)

    def _must_be_closed(self) -> None:
        if self._braces:
            raise unclosed(self._braces[-1])

    def _leave_line(self) -> None:
        end = self._text.find("\n", self.at)
        self.at = len(self._text) if end < 0 else end

    # -- what is done at each stop ---------------------------------------------------

    def _on_quote(self, token: re.Match[str]) -> _Outcome:
        self.at = token.end()
        if len(token[0]) == 1 or token[0][-1] != '"':
            message = "The quote is never closed"
            raise NftSyntaxError(message, '`"`', start=token.start(), end=token.end())
        return _Outcome.GO_ON

    def _on_comment(self, _: re.Match[str]) -> _Outcome:
        if not self._braces:
            return _Outcome.END
        self._leave_line()
        return _Outcome.GO_ON

    def _on_open_brace(self, _: re.Match[str]) -> _Outcome:
        if not self._braces:
            return _Outcome.OUTER_BRACE
        self.enter()
        return _Outcome.GO_ON

    def _on_close_brace(self, token: re.Match[str]) -> _Outcome:
        if not self._braces:
            return _Outcome.END
        self._braces.pop()
        return self._on_close(token)

    def _on_open(self, token: re.Match[str]) -> _Outcome:
        self.at = token.end()
        self._nested(token.start())
        return _Outcome.GO_ON

    def _on_close(self, token: re.Match[str]) -> _Outcome:
        self.at = token.end()
        del self._brackets[-1:]
        return _Outcome.GO_ON

    def _ends(self) -> bool:
        """Whether a separator ends the statement."""
        goes_on = not self._braces and _ITS_NEXT.match(self._text, self.at)
        return not self._braces and not (
            goes_on and _SYNPROXY.fullmatch(self._text, self._start, self.at)
        )

    def _on_newline(self, token: re.Match[str]) -> _Outcome:
        if self._ends():
            return _Outcome.END
        self.at = token.end()
        if blocks.BLOCK_LINE.match(self._text, self.at):
            self._must_be_closed()
        return _Outcome.GO_ON

    def _on_semicolon(self, token: re.Match[str]) -> _Outcome:
        if self._ends():
            return _Outcome.END
        return self._on_continuation(token)

    def _on_continuation(self, token: re.Match[str]) -> _Outcome:
        self.at = token.end()
        return _Outcome.GO_ON


_HANDLERS: dict[str, Callable[[Ends, re.Match[str]], _Outcome]] = {
    '"': Ends._on_quote,
    "#": Ends._on_comment,
    "{": Ends._on_open_brace,
    "}": Ends._on_close_brace,
    "(": Ends._on_open,
    ")": Ends._on_close,
    "\n": Ends._on_newline,
    ";": Ends._on_semicolon,
    "\\": Ends._on_continuation,
}


def unclosed(brace: int) -> NftSyntaxError:
    return NftSyntaxError("The brace is never closed", "`}`", start=brace, end=brace + 1)
