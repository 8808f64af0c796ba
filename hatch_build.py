"""Makes the tables of the parsers when a wheel is built, so that no run of iptlint has to."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class TablesHook(BuildHookInterface):
    """The tables lie beside the grammars in the wheel (``iptlint/_grammars/``), and in the same
    place of a checkout; where a grammar has changed since, they are not used."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        _name_package(Path(self.root) / "iptlint")
        from iptlint.dialects.nft.parsing.language import MADE_OF, make_language
        from iptlint.grammar import load_grammar, write_tables

        editable = version == "editable"
        home = (self.root, "iptlint/_grammars") if editable else (self.directory, "tables")
        folder = Path(*home)
        folder.mkdir(parents=True, exist_ok=True)
        parsers = {
            "nft": (MADE_OF, make_language()),
            "iptables_save": ("line", load_grammar("iptables_save", "line")),
            "ipset_save": ("line", load_grammar("ipset_save", "line")),
        }
        for name, (more, parser) in parsers.items():
            path = folder / f"{name}.tables"
            with path.open("wb") as file:
                write_tables(file, name, more, parser)
            if not editable:
                build_data["force_include"][str(path)] = f"iptlint/_grammars/{name}.tables"


def _name_package(folder: Path) -> None:
    """Makes modules of iptlint known, but not what the package itself imports: that is not there
    where it is built."""
    package = ModuleType("iptlint")
    package.__path__ = [str(folder)]
    sys.modules["iptlint"] = package
