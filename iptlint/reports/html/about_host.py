"""What a page says of a live host beside its rules."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AboutHost:
    """Lines, and the rows of a table with its heads. ``name``: of the host; empty where the page is
    about files. ``unprotected``: all of the running rules are known, and there is none."""

    lines: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    name: str = ""
    unprotected: bool = False


NOTHING = AboutHost()
