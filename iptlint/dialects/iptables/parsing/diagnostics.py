"""What is wrong with the words of a line, as sentences, and what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from iptlint.dialects.iptables.extensions.table import MATCHES, PROTOCOL_OF_MATCH, TARGETS
from iptlint.dialects.iptables.parsing.commands import BASE
from iptlint.model import Family, near_words

_LONGEST = 40
"""Names beyond this length are quoted in part and have no near misses."""

_FEW = 4
"""Matches and targets that are named as the home of an option."""


_TOOL = re.compile(r"(?:sudo )?(?:\S*/)?ip6?tables(?:-\w+)? ")
"""How a command of a script begins, which a file of rules has no place for."""


@dataclass(frozen=True, slots=True)
class ShapeDiagnostic:
    """Why the words ``first <= i < last`` do not fit, the same for all lines of a shape.

    ``{word}`` in the message stands for the first of them, which differs from line to line.
    """

    first: int
    last: int
    message: str
    expected: str
    hint: str | None = None

    def of(self, words: tuple[str, ...]) -> ShapeDiagnostic:
        """What is wrong with a line of these words: `-dport 22` is `-d port` and a word too many,
        and nobody meant that."""
        for at in range(max(0, self.first - 1), min(self.first + 1, len(words))):
            if _lacks_a_dash(words[at]):
                return shape_diagnostic(at, "`{word}` lacks a dash", f"`-{words[at]}`")
        return self

    def sentence(self, words: tuple[str, ...]) -> str:
        word = words[self.first] if self.first < len(words) else ""
        shown = word if len(word) <= _LONGEST else word[:_LONGEST] + "…"
        return self.message.replace("{word}", shown)

    def advice(self, words: tuple[str, ...]) -> str | None:
        if self.first < len(words) and words[self.first] == "\\":
            return "A `\\` does not join lines here: write the whole rule on one line."
        if self.first == 0 and _TOOL.match(" ".join(words)):
            return "Here a line is the rule alone: begin it with the option, as `-A INPUT`."
        single = any(word.startswith("'") for word in words)
        return self.hint or ("Only double quotes make several words one." if single else None)


class ShapeError(Exception):
    """Carries a diagnostic out of the resolver; never leaves it."""

    def __init__(self, diagnostic: ShapeDiagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def shape_diagnostic(
    first: int, message: str, expected: str, hint: str | None = None, *, last: int | None = None
) -> ShapeDiagnostic:
    """A diagnostic of one word, or of those before ``last``."""
    end = first + 1 if last is None else last
    return ShapeDiagnostic(first, end, f"{message}; expected {expected}.", expected, hint)


def shape_error(
    first: int, message: str, expected: str, hint: str | None = None, *, last: int | None = None
) -> ShapeError:
    return ShapeError(shape_diagnostic(first, message, expected, hint, last=last))


def ends_the_tool(at: int, name: str, in_scope: list[str], family: Family) -> ShapeError:
    """What prints something and exits, which an abbreviated option may be taken for."""
    message = f"--{name} ends the tool, with status 0: it loads nothing more"
    known = [other for other in in_scope if other != name]
    return shape_error(at, message, "a rule", meant(name, known, family))


_TWINS = {
    (Family.IP6, "icmp-type"): "`-p ipv6-icmp --icmpv6-type` is what IPv6 has.",
    (Family.IP, "icmpv6-type"): "`-p icmp --icmp-type` is what IPv4 has.",
    **dict.fromkeys(((f, "port") for f in Family), "Did you mean `--dport`?"),
}


@cache
def _homes(family: Family) -> dict[str, tuple[str, ...]]:
    """Which matches and targets of the family have an option of this name."""
    homes: dict[str, tuple[str, ...]] = {}
    tables = [(_loaded_by(e.name), e) for e in MATCHES.values()]
    tables += [(f"-j {e.name}", e) for e in TARGETS.values()]
    for load, extension in tables:
        if family not in extension.families:
            continue
        for option in extension.options:
            homes[option.name] = (*homes.get(option.name, ()), load)
    return homes


def _lacks_a_dash(word: str) -> bool:
    return len(word) > 2 and any(word[1:] in names for names in (_BASE, *map(_homes, _FAMILIES)))


_FAMILIES = (Family.IP, Family.IP6)
_BASE = frozenset(entry.name for entry in BASE)


def _loaded_by(match: str) -> str:
    protocol = PROTOCOL_OF_MATCH.get(match)
    return f"-m {match}" if protocol is None else f"-p {protocol}"


def meant(name: str, in_scope: list[str], family: Family) -> str | None:
    """A sentence on what an option that is not in scope was probably meant to be."""
    if len(name) > _LONGEST:
        return None
    if (family, name) in _TWINS:
        return _TWINS[family, name]
    homes = _homes(family).get(name, ())
    if homes:
        others = "" if len(homes) <= _FEW else " or others"
        listed = _listed(homes[:_FEW])
        return f"`--{name}` is an option of {listed}{others}, which has to come before it."
    near = nearest(name, in_scope) or near_words.nearest(name, _begun(name[:1], family), 0.8)
    return f"Did you mean `--{near}`?" if near else None


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is spelled much like this one."""
    alike = tuple(other for other in known if other[:1] == name[:1])
    return near_words.nearest(name, alike)


@cache
def _begun(letter: str, family: Family) -> tuple[str, ...]:
    return tuple(name for name in _homes(family) if name[:1] == letter)


def _listed(loads: tuple[str, ...]) -> str:
    return " or ".join(f"`{load}`" for load in loads)
