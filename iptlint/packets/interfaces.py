"""Interface names, cut into classes at the names and wildcards that occur.

Class 0 is "no interface" (a packet that comes in has no way out yet, and the other way
round): xtables compares an empty name then, so of a name only the negated test holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from iptlint.model import AnyOf, Interface, Match
from iptlint.model.names import LONGEST_INTERFACE

NO_INTERFACE = 0
_COMMON = ("eth0", "eth1", "ens3", "enp1s0", "wan0", "if0", "if1")


@dataclass(frozen=True, slots=True)
class InterfaceClass:
    """Either one name or, with ``wildcard``, all names that start with it and are in no other
    class; the last class, the wildcard of nothing, is every other name."""

    name: str
    wildcard: bool


def may_be_called(name: str, *, wildcard: bool = False) -> bool:
    """Whether the kernel lets an interface have the name (or one that starts so): dev_valid_name of
    net/core/dev.c. An alias (``eth0:1``) is an address of its interface, and no other one."""
    if any(sign in "/:" or sign.isspace() for sign in name):
        return False
    return wildcard or name not in (".", "..")


class Interfaces:
    def __init__(self, matches: Iterable[Match]) -> None:
        named = ((m.name, m.wildcard) for m in _interface_tests(matches))
        tests = {(name, wild) for name, wild in named if may_be_called(name, wildcard=wild)}
        names = sorted(name for name, wildcard in tests if not wildcard)
        prefixes = sorted(name for name, wildcard in tests if wildcard and name)
        self.classes = (
            *(InterfaceClass(name, False) for name in ("lo", *(n for n in names if n != "lo"))),
            *(InterfaceClass(prefix, True) for prefix in prefixes),
            InterfaceClass("", True),
        )
        numbered = [*enumerate(self.classes, start=1)]
        self._names = {cls.name: number for number, cls in numbered if not cls.wildcard}
        self._prefixes = {cls.name: number for number, cls in numbered if cls.wildcard}

    @property
    def count(self) -> int:
        """How many values the interface field has, "no interface" among them."""
        return len(self.classes) + 1

    def members(self, name: str, wildcard: bool) -> tuple[int, ...]:
        """The classes whose interfaces are named ``name`` (or start with it).

        Every name starts with nothing, the absent one too: the kernel compares no byte of
        ``-i +``, as packets sent through a chain that OUTPUT calls show.
        """
        if wildcard and not name:
            return tuple(range(self.count))
        if wildcard:
            numbered = enumerate(self.classes, start=1)
            return tuple(number for number, cls in numbered if cls.name.startswith(name))
        return (self._names[name],) if name in self._names else ()

    def class_of(self, name: str) -> int:
        """The class that an interface with this name is in."""
        if name in self._names:
            return self._names[name]
        starts = (name[:length] for length in range(len(name), -1, -1))
        return next(self._prefixes[start] for start in starts if start in self._prefixes)

    def example(self, number: int, but: str | None = None) -> str | None:
        """A name in class ``number`` that someone may really have; another one than ``but`` where
        the class has more than one."""
        if number == NO_INTERFACE:
            return None
        cls = self.classes[number - 1]
        if not cls.wildcard:
            return cls.name
        candidates = (f"{cls.name}{n}" for n in range(1000)) if cls.name else iter(_COMMON)
        return next(
            (c for c in candidates if c != but and self._belongs(c, cls.name)),
            self._padded(cls.name),
        )

    def _belongs(self, candidate: str, prefix: str) -> bool:
        fits = len(candidate) <= LONGEST_INTERFACE
        return fits and self.classes[self.class_of(candidate) - 1] == InterfaceClass(prefix, True)

    def _padded(self, prefix: str) -> str:
        fill = (prefix + "x" * n for n in range(1, LONGEST_INTERFACE + 1))
        return next((name for name in fill if self._belongs(name, prefix)), prefix)


def _interface_tests(matches: Iterable[Match]) -> Iterable[Interface]:
    for match in matches:
        if isinstance(match, Interface):
            yield match
        elif isinstance(match, AnyOf):
            for alternative in match.alternatives:
                yield from _interface_tests(alternative)
