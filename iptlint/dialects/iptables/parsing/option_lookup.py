"""Which option a word names, among those known so far: getopt_long(3), as iptables uses it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import InitVar, dataclass, field

from iptlint.dialects.iptables.extensions.builders import CANONICAL
from iptlint.dialects.iptables.extensions.row import Extension
from iptlint.dialects.iptables.parsing.base_options import CORE
from iptlint.dialects.iptables.parsing.commands import BASE, Entry, Role, takes
from iptlint.model import Family


@dataclass(frozen=True, slots=True)
class KnownOption:
    """An option, and the extension it belongs to (None: the tool's own)."""

    entry: Entry
    owner: Extension | None = None


def _canonical(extension: Extension, entry: Entry) -> Entry:
    main = CANONICAL.get((extension.name, entry.name))
    if main is None:
        return entry
    return Entry(main.name, main.short, entry.role, takes(main), main)


def _options_of(extension: Extension) -> dict[str, KnownOption]:
    entries = (Entry(o.name, o.short, Role.TEST, takes(o), o) for o in extension.options)
    return {e.name: KnownOption(_canonical(extension, e), extension) for e in entries}


_BASE_LONG = {entry.name: KnownOption(_canonical(CORE, entry)) for entry in BASE}
_OF_IP_ONLY = ("fragments", "fragment")
_LONG = {
    Family.IP: _BASE_LONG,
    Family.IP6: {name: o for name, o in _BASE_LONG.items() if name not in _OF_IP_ONLY},
}
SHORT = {entry.short: KnownOption(entry) for entry in BASE if entry.short}
"""Short options are the tool's own, whatever is loaded."""


@dataclass(slots=True)
class OptionScope:
    """The tool's own options first, then the extensions', the latest loaded first."""

    family: InitVar[Family]
    layers: list[dict[str, KnownOption]] = field(default_factory=list)
    owners: list[Extension] = field(default_factory=list)

    def __post_init__(self, family: Family) -> None:
        self.layers.append(_LONG[family])

    def load(self, extension: Extension) -> None:
        if not any(extension is owner for owner in self.owners):
            self.owners.append(extension)
            self.layers.insert(1, _options_of(extension))

    def exact(self, name: str) -> KnownOption | None:
        return next((layer[name] for layer in self.layers if name in layer), None)

    def find(self, name: str) -> KnownOption | None:
        """The option of this name, else the only one that begins like it."""
        return self.exact(name) or self._abbreviated(name)

    def _abbreviated(self, name: str) -> KnownOption | None:
        begun = [option for known, option in self._all() if known.startswith(name)]
        return begun[0] if begun and all(option == begun[0] for option in begun) else None

    def _all(self) -> Iterator[tuple[str, KnownOption]]:
        return (item for layer in self.layers for item in layer.items())

    def names(self) -> list[str]:
        return [name for name, _ in self._all()]
