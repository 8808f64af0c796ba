"""Words of the shell, and what stands between them, as bash cuts a text into them (parse.y,
``read_token_word``, ``parse_matched_pair``)."""

from __future__ import annotations

import re


class RefusedError(Exception):
    """The shell has no place for what stands here."""

    def __init__(self, place: int) -> None:
        super().__init__(place)
        self.place = place


class NotSureError(Exception):
    """It would take too long to find out."""


_LONGEST = 40
"""How often each character of a text may be looked at."""
_BLANKS = re.compile(r"(?:[ \t]|\\\n)+")
_COMMENT = re.compile(r"#[^\n]*")
_PLAIN = re.compile(r"[^\\'\"`$\s;&|<>()]+")
_ASSIGNED = re.compile(r"[A-Za-z_]\w*(?:\[[^\n]*\])?\+?=")
_SUBSCRIPT = re.compile(r"[A-Za-z_]\w*\[[^\]\n;&|]*\]\+?=")
_RESERVED = re.compile(r"(?:\[\[|[!{}]|[a-z]+)(?=[\s;&|<>()]|$)")
_QUOTING = re.compile(r"\$\{!?(?:\w+|[@*#?$!-])(?:\[[^\]]*\])?[#%/^,]")
"""An operator behind which quotes in ``"${…}"`` are some."""


class Words:
    """``at``: how far the text is read; ``waiting``: the here-documents whose lines are to come,
    each by its last line, and whether tabs before that are left out; ``unended``: the last lines of
    those that have none; ``extended``: whether `@(a|b)` is a pattern."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.waiting: list[tuple[str, bool]] = []
        self.unended: set[str] = set()
        self._left = _LONGEST * len(text) + 1000
        self.extended = "extglob" in text

    def _look(self) -> str:
        self._left -= 1
        if self._left < 0:
            raise NotSureError
        return self.text[self.at]

    def take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            return ""
        self.at = found.end()
        return found[0]

    def blanks(self) -> None:
        """With a comment behind them, if there is one."""
        self.take(_BLANKS)
        if self.at == 0 or self.text[self.at - 1] in " \t\n;&|()<>":
            self.take(_COMMENT)

    def newlines(self) -> None:
        self.blanks()
        while self.text.startswith("\n", self.at):
            self.at += 1
            self._here_documents()
            self.blanks()

    def _here_documents(self) -> None:
        for word, strips in self.waiting:
            last = re.sub(r"\\(.)|[\"']", r"\1", word)
            while self.at < len(self.text):
                end = self.text.find("\n", self.at)
                end = len(self.text) if end < 0 else end
                line, self.at = self.text[self.at : end], min(end + 1, len(self.text))
                if (line.lstrip("\t") if strips else line) == last:
                    break
            else:
                self.unended.add(last)
        self.waiting.clear()

    def reserved(self) -> str:
        """The word that may be one; empty where none can be."""
        found = _RESERVED.match(self.text, self.at)
        return found[0] if found else ""

    def is_at(self, end: str) -> bool:
        if not end[0].isalpha() and end not in ("}", "{", "]]"):
            return self.text.startswith(end, self.at)
        behind = self.text[self.at + len(end) : self.at + len(end) + 1]
        return self.text.startswith(end, self.at) and (not behind or behind in " \t\n;&|<>()")

    # -- words ------------------------------------------------------------------------------

    def word(self, *, assigns: bool = False) -> bool:
        """Whether there is one here, which is read then."""
        start = self.at
        if assigns:
            self.take(_SUBSCRIPT)
        while self.at < len(self.text):
            sign = self.text[self.at]
            if self.take(_PLAIN):
                continue
            if sign in "<>" and self.text.startswith("(", self.at + 1):
                self.at += 1
                self._substitution()
            elif sign == "(" and self._takes_parenthesis(start):
                continue
            elif not self._quoted(sign):
                break
        return self.at > start

    def _takes_parenthesis(self, start: int) -> bool:
        """Of an array, or of a pattern."""
        word = self.text[start : self.at]
        if _ASSIGNED.fullmatch(word):
            self.at += 1
            self.newlines()
            while not self.text.startswith(")", self.at):
                if not self.word(assigns=True):
                    raise RefusedError(self.at)
                self.newlines()
            self.at += 1
            return True
        if self.extended and word[-1:] and word[-1] in "@?*+!":
            self._until_closed("(", ")")
            return True
        return False

    def _quoted(self, sign: str) -> bool:
        """What begins with the sign, if that quotes or is replaced by something."""
        if sign == "\\":
            self.at = min(self.at + 2, len(self.text))
        elif sign == "'":
            self._up_to("'")
        elif sign == '"':
            self._double_quoted()
        elif sign == "`":
            self._escaped_up_to("`")
        elif sign == "$":
            self._dollar()
        else:
            return False
        return True

    def _up_to(self, end: str) -> None:
        found = self.text.find(end, self.at + 1)
        if found < 0:
            raise RefusedError(self.at)
        self.at = found + 1

    def _escaped_up_to(self, end: str) -> None:
        start = self.at
        self.at += 1
        while not self.text.startswith(end, self.at):
            if self.at >= len(self.text):
                raise RefusedError(start)
            self.at += 2 if self.text[self.at] == "\\" else 1
        self.at += 1

    def _double_quoted(self) -> None:
        start = self.at
        self.at += 1
        while not self.text.startswith('"', self.at):
            if self.at >= len(self.text):
                raise RefusedError(start)
            sign = self._look()
            if sign == "$":
                self._dollar(within_quotes=True)
            elif sign in "\\`":
                self._quoted(sign)
            else:
                self.at += 1
        self.at += 1

    def _dollar(self, *, within_quotes: bool = False) -> None:
        """At a ``$``, whatever that is."""
        behind = self.text[self.at + 1 : self.at + 3]
        if behind == "((" and self.arithmetic("$(("):
            return
        if behind == "((":
            self.at += 1
            self._until_closed("(", ")")
        elif behind[:1] == "(":
            self.at += 1
            self._substitution()
        elif behind[:1] == "$":
            self.at += 2
        elif behind[:1] == "{":
            quotes = not within_quotes or _QUOTING.match(self.text, self.at) is not None
            self.at += 1
            self._until_closed("{", "}", quotes=quotes)
        elif behind[:1] == "'" and not within_quotes:
            self.at += 1
            self._escaped_up_to("'")
        else:
            self.at += 1

    def _substitution(self) -> None:
        """``$(…)``, from its parenthesis on."""
        start = self.at
        self.at += 1
        waiting, self.waiting = self.waiting, []
        try:
            self.newlines()
            if not self.text.startswith(")", self.at):
                self.commands(")")
        except RefusedError as error:
            raise RefusedError(start if error.place >= len(self.text) else error.place) from None
        self.waiting = waiting
        self.at += 1

    def commands(self, *ends: str) -> None:
        raise NotImplementedError

    def _until_closed(self, opening: str, closing: str, *, quotes: bool = True) -> None:
        """From one bracket to its other, past what is in quotes; of ``${`` the first `}` closes."""
        start = self.at
        self.at += 1
        depth = 1
        while depth:
            if self.at >= len(self.text):
                raise RefusedError(start)
            sign = self._look()
            if sign == closing:
                depth -= 1
                self.at += 1
            elif sign == opening and opening != "{":
                depth += 1
                self.at += 1
            elif (sign == "'" and not quotes) or not self._quoted(sign):
                self.at += 1

    def arithmetic(self, opening: str) -> bool:
        """Whether ``((`` begins a calculation, which is read then: else two parentheses do."""
        start = self.at
        self.at += len(opening)
        depth = 0
        try:
            while self.at < len(self.text):
                sign = self._look()
                if sign == ")" and not depth:
                    closes = self.text.startswith("))", self.at)
                    self.at = self.at + 2 if closes else start
                    return closes
                depth += (sign == "(") - (sign == ")")
                if not self._quoted(sign):
                    self.at += 1
        except RefusedError:
            pass
        self.at = start
        return False

    def regular_expression(self) -> None:
        """The word behind ``=~``, in which parentheses and what is in them stand for themselves."""
        while self.at < len(self.text) and self.text[self.at] not in " \t\n":
            sign = self.text[self.at]
            if sign == "(":
                self._until_closed("(", ")")
            elif not self._quoted(sign):
                self.at += 1
