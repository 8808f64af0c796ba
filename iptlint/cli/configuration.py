"""The file that says how a project is checked: found, read, and every key of it known.

`.iptlint.toml`, or `[tool.iptlint]` in `pyproject.toml`: the nearest to the first file that is
checked, upward to the root of its checkout. Whoever wrote it may not be whom root trusts: a file
that was found, and not named by `--config`, leads to nothing outside of its own directory.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

OWN = ".iptlint.toml"
SHARED = "pyproject.toml"
_OUR_TABLE = re.compile(r"^[ \t]*\[+[ \t]*tool[ \t]*\.[ \t]*iptlint\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Configuration:
    """``table`` as it is written; ``named``: by `--config`, so that it may lead anywhere."""

    path: Path
    text: str
    table: Mapping[str, Any]
    named: bool

    def line_of(self, key: str) -> int:
        """Where a key is written: the first line that begins with it."""
        match = re.search(rf'^[ \t]*"?{re.escape(key)}"?[ \t]*=', self.text, re.MULTILINE)
        return self.text.count("\n", 0, match.start()) + 1 if match else 1

    def refuse(self, key: str, message: str) -> click.UsageError:
        return click.UsageError(f"{self.path}:{self.line_of(key)}: {message}")

    def path_in(self, key: str, text: str) -> str:
        """A path as the file means it: from the directory that it lies in."""
        full = os.path.normpath(self.path.parent / text)
        inside = Path(os.path.realpath(full)).is_relative_to(os.path.realpath(self.path.parent))
        if not self.named and not inside:
            where = self.path.parent
            raise self.refuse(
                key, f"{key}: {text!r} is not below {where}; only --config may say so"
            )
        return os.path.relpath(full) if not Path(text).is_absolute() else full


def configuration(named: str | None, files: Sequence[str]) -> Configuration | None:
    """The file that ``--config`` names, else the nearest to the first of the files."""
    if named is not None:
        return _loaded(Path(named), named=True)
    start = Path.cwd() / (files[0] if files and files[0] != "-" else ".")
    folder = Path(os.path.normpath(start if start.is_dir() else start.parent))
    return next(_nearest(folder), None)


def _nearest(folder: Path) -> Iterator[Configuration]:
    for each in (folder, *folder.parents):
        for name in (OWN, SHARED):
            path = each / name
            if path.is_file() and not _leads_out(path):
                loaded = _loaded(path, named=False)
                if loaded is not None:
                    yield loaded
        if (each / ".git").exists():
            return


def _leads_out(path: Path) -> bool:
    return not path.resolve().is_relative_to(path.parent.resolve())


def _loaded(path: Path, *, named: bool) -> Configuration | None:
    """None where the file is another tool's, and was not named."""
    from iptlint.dialects.settings_text import MAX_SETTINGS, settings_text
    from iptlint.policy.toml_text import toml_of

    text = ""
    try:
        text = settings_text(str(path), MAX_SETTINGS)
        document = toml_of(text)
    except OSError as error:
        raise click.UsageError(f"{path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:  # also of a number that is too long for Python
        if not named and path.name == SHARED and not _OUR_TABLE.search(text):
            return None  # whoever wrote it was not speaking to us
        place = re.search(r"\(at (.*)\)", str(error))
        raise click.UsageError(
            f"{path}: this is not TOML{f': look at {place[1]}' if place else ''}"
        ) from None
    if path.name != SHARED:
        return Configuration(path, text, document, named)
    tool = document.get("tool")
    table = tool.get("iptlint") if isinstance(tool, dict) else None
    if table is None and not named:
        return None
    if not isinstance(table, dict):
        raise click.UsageError(f"{path}: there is no table [tool.iptlint] in it")
    return Configuration(path, text, table, named)


def unknown(key: str, known: Iterable[str]) -> str:
    """What to say of a key that is none."""
    import difflib

    near = difflib.get_close_matches(key, [*known], n=1)
    hint = f" (did you mean {near[0]}?)" if near else "; `iptlint config --schema` lists them"
    return f"there is no setting {key!r}{hint}"
