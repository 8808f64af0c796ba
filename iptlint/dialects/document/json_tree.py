"""JSON (RFC 8259) to the tree, without recursion: a document may be nested as deep as it likes."""

from __future__ import annotations

import json
import re

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.document.node import Node
from iptlint.source import SourceFile

MOST_DEPTH = 500
_BLANK = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(
    r'(?P<sign>[{}\[\],:])|(?P<string>"(?:[^"\\\x00-\x1f]|\\.)*")'
    r"|(?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?![\w.])"
    r"|(?P<word>true|false|null)\b"
)
_WORDS = {"true": True, "false": False, "null": None}


class JsonError(ValueError):
    """Text that is no JSON; ``start`` is where."""

    def __init__(self, start: int, message: str, code: str = "IPT001") -> None:
        super().__init__(message)
        self.start, self.code = start, code

    def diagnostic(self, source: SourceFile) -> Diagnostic:
        severity = "error" if self.code == "IPT001" else "warning"
        end = min(len(source.text), self.start + 1)
        advice = "print it anew: the text may have been cut or edited"
        return Diagnostic(self.code, severity, min(self.start, end), end, str(self), advice, source)


def parse(source: SourceFile) -> Node:
    """The tree; JsonError where the text is none."""
    return _Parser(source).document()


class _Parser:
    def __init__(self, source: SourceFile) -> None:
        self.source, self.text = source, source.text
        self.at = 0

    def document(self) -> Node:
        node = self._value()
        self._skip()
        if self.at < len(self.text):
            raise JsonError(self.at, "more text follows the end of the JSON document")
        return node

    def _skip(self) -> None:
        blank = _BLANK.match(self.text, self.at)
        assert blank is not None
        self.at = blank.end()

    def _token(self, expected: str) -> re.Match[str]:
        self._skip()
        token = _TOKEN.match(self.text, self.at)
        if token is None:
            rest = self.text[self.at : self.at + 10].split("\n")[0]
            what = f"{rest!r} stands here" if rest else "the text ends here"
            raise JsonError(self.at, f"{what}, where {expected} was expected")
        self.at = token.end()
        return token

    def _value(self) -> Node:
        """One value; what is open is kept on a stack of its own."""
        open_: list[tuple[Node, str]] = []
        while True:
            done = self._step(open_)
            if done is None:
                continue
            if not open_:
                return done
            self._put(open_, done)

    def _step(self, open_: list[tuple[Node, str]]) -> Node | None:
        """Reads the next value, or closes what is open: None where something was opened."""
        if len(open_) > MOST_DEPTH:
            raise JsonError(self.at, "this is nested too deeply to be read", "IPT010")
        holder = open_[-1][0] if open_ else None
        closing = "]" if holder is not None and isinstance(holder.value, list) else "}"
        if holder is not None and self._closes(closing, holder):
            open_.pop()
            return Node(self.source, holder.value, holder.start, self.at)
        if holder is not None and holder.value:
            self._comma(closing)
        key = self._key() if holder is not None and isinstance(holder.value, dict) else ""
        if open_:
            open_[-1] = (open_[-1][0], key)
        return self._leaf(open_)

    def _closes(self, closing: str, holder: Node) -> bool:
        self._skip()
        if self.text.startswith(closing, self.at):
            self.at += 1
            return True
        return False

    def _comma(self, closing: str) -> None:
        token = self._token(f"a comma or {closing}")
        if token["sign"] != ",":
            raise JsonError(token.start(), f"a comma or {closing} was expected before this")

    def _key(self) -> str:
        token = self._token("a name in quotes")
        if token["string"] is None:
            raise JsonError(token.start(), "a name in quotes was expected here")
        colon = self._token("a colon")
        if colon["sign"] != ":":
            raise JsonError(colon.start(), "a colon was expected here")
        return self._unquoted(token)

    def _leaf(self, open_: list[tuple[Node, str]]) -> Node | None:
        token = self._token("a value")
        start, end = token.span()
        if token["sign"] is not None:
            if token["sign"] not in "{[":
                raise JsonError(start, f"a value was expected before {token['sign']}")
            empty: dict[str, Node] | list[Node] = {} if token["sign"] == "{" else []
            open_.append((Node(self.source, empty, start, end), ""))
            return None
        if token["string"] is not None:
            return Node(self.source, self._unquoted(token), start, end)
        if token["number"] is not None:
            return Node(self.source, token["number"], start, end, number=True)
        return Node(self.source, _WORDS[token["word"]], start, end)

    def _put(self, open_: list[tuple[Node, str]], value: Node) -> None:
        holder, key = open_[-1]
        if isinstance(holder.value, list):
            holder.value.append(value)
        elif isinstance(holder.value, dict):
            holder.value[key] = value

    def _unquoted(self, token: re.Match[str]) -> str:
        text = token["string"]
        if "\\" not in text:
            return text[1:-1]
        try:
            return str(json.loads(text))
        except json.JSONDecodeError as error:
            raise JsonError(token.start() + error.pos, "this is no escape of JSON") from None
