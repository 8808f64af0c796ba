"""Paths as a forge knows them: from the root of the checkout."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from iptlint.reports.safe import visible


def checkout(start: Path) -> Path:
    """The nearest folder upward that holds ``.git``, a folder or, in a worktree, a file; else
    ``start`` itself."""
    folders = (start, *start.parents)
    return next((folder for folder in folders if (folder / ".git").exists()), start)


def from_root(path: str) -> str:
    """``path`` from the root of the checkout that the process runs in, with slashes. What is
    somewhere else keeps its absolute path, and what is no file its name."""
    current = Path.cwd()
    if "\0" in path or not os.path.lexists(path):
        return path
    full = os.path.normpath(current / path)
    root = checkout(current)
    inside = Path(full).is_relative_to(root)
    return (Path(full).relative_to(root) if inside else Path(full)).as_posix()


def shown_from_root(path: str) -> str:
    """The same, with nothing in it that speaks to a terminal."""
    return visible(from_root(path))


def uri_of(path: str) -> str:
    """The same as a URI: relative to the root, or ``file:///…``."""
    relative = from_root(path)
    quoted = quote(_bytes(relative), safe="/")
    return f"file://{quoted}" if relative.startswith("/") else quoted


def _bytes(path: str) -> bytes:
    """Those of the file's name; what cannot be a name has none."""
    try:
        return os.fsencode(path)
    except UnicodeEncodeError:
        return path.encode("utf-8", "replace")
