"""Which words an option takes as its arguments."""

from __future__ import annotations

from iptlint.dialects.iptables.extensions.row import Option
from iptlint.dialects.iptables.parsing.commands import Entry, Takes
from iptlint.dialects.iptables.parsing.diagnostics import shape_error
from iptlint.dialects.iptables.parsing.tree import WordPlace, Words

_OPTION_LEADS = ("-", "!")


class Cursor:
    """A place among the words of a line. ``start`` is the option's own word, ``glued`` what
    stands in it behind the option's name (``-jDROP``, ``--dport=22``)."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.at = 0

    def arguments(
        self, entry: Entry, option: Option, start: int, glued: WordPlace | None
    ) -> tuple[WordPlace, ...]:
        """The first may be any word, even one that looks like an option; the others may not."""
        first = self.argument(entry, start, glued)
        if first is None:
            return ()
        places = [first]
        for _ in option.values[1:]:
            further = self.further()
            if further is None and not option.optional:
                wanted = f"{len(option.values)} arguments"
                raise shape_error(start, f"{named(entry)} is incomplete", wanted, last=self.at)
            places += [further] if further else []
        return tuple(places)

    def argument(self, entry: Entry, start: int, glued: WordPlace | None) -> WordPlace | None:
        match entry.takes:
            case Takes.NOTHING:
                return None
            case Takes.OPTIONAL:
                return glued or self.further()
            case Takes.ONE:
                return self.required(entry, start, glued)

    def required(self, entry: Entry, start: int, glued: WordPlace | None) -> WordPlace:
        if glued:
            return glued
        if self.at == len(self.words):
            raise shape_error(start, f"{named(entry)} lacks its argument", "an argument")
        self.at += 1
        return WordPlace(self.at - 1)

    def further(self) -> WordPlace | None:
        """The next word, unless it could be an option."""
        if self.at == len(self.words) or self.words[self.at].startswith(_OPTION_LEADS):
            return None
        self.at += 1
        return WordPlace(self.at - 1)


def named(entry: Entry) -> str:
    return f"--{entry.name}"
