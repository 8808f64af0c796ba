"""What is wrong with a statement, before it is known how to say where."""

from __future__ import annotations

from iptlint.dialects.diagnostics import Fate


class NftSyntaxError(Exception):
    """Text that is no statement of nft. ``start`` and ``end`` are offsets into the source."""

    code = "IPT001"
    hides_text = False
    """Any amount of text is behind it that was not read."""
    fate = Fate.REFUSED

    def __init__(
        self, message: str, expected: str = "", hint: str | None = None, *, start: int, end: int
    ) -> None:
        super().__init__(message)
        self.message = message
        self.expected = expected
        self.hint = hint
        self.start = start
        self.end = end


class TooDeepError(NftSyntaxError):
    """The text may be good, but reading it would cost more than any ruleset does."""

    code = "IPT010"
    hides_text = True


class AlreadyReportedError(NftSyntaxError):
    """The statement cannot be read for something in it that was reported already."""

    def __init__(self, *, start: int, end: int) -> None:
        super().__init__("", start=start, end=end)
