"""How what is printed looks: in colour, with links, and how wide."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from iptlint.reports.formats import PLAIN, Look

if TYPE_CHECKING:
    from iptlint.cli.options import Asked

_NARROWEST = 40


def look_of(asked: Asked) -> Look:
    """As it is asked for, and as wide as the terminal."""
    look = Look(
        use_colour(asked.color),
        quiet=asked.quiet,
        statistics=asked.statistics,
        links=asked.color != "never" and has_links(),
    )
    return fitted(look)


def fitted(look: Look) -> Look:
    """As wide as the terminal, if it is one, and within what reads well."""
    if sys.stdout is None or not sys.stdout.isatty():
        return look
    import shutil

    columns = shutil.get_terminal_size((PLAIN.columns, 24)).columns
    return replace(look, columns=max(_NARROWEST, min(columns, PLAIN.columns)))


def use_colour(wanted: str) -> bool:
    """``auto``: on a terminal, unless NO_COLOR or FORCE_COLOR says otherwise
    (https://no-color.org, https://force-color.org)."""
    if wanted != "auto":
        return wanted == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    on_terminal = sys.stdout is not None and sys.stdout.isatty()
    return on_terminal and os.environ.get("TERM") != "dumb"


_WITH_LINKS = ("WT_SESSION", "KONSOLE_VERSION", "KITTY_WINDOW_ID", "DOMTERM", "WEZTERM_PANE")
_PROGRAMS_WITH_LINKS = ("iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "Tabby")


def has_links() -> bool:
    """Whether what is printed goes to a terminal that is known to have hyperlinks (OSC 8); who
    knows better says so by FORCE_HYPERLINK, 1 or 0."""
    forced = os.environ.get("FORCE_HYPERLINK")
    if forced:
        return forced != "0"
    if sys.stdout is None or not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        return False
    version = os.environ.get("VTE_VERSION", "")
    return (
        any(os.environ.get(name) for name in _WITH_LINKS)
        or os.environ.get("TERM_PROGRAM", "") in _PROGRAMS_WITH_LINKS
        or os.environ.get("TERM", "").startswith(("xterm-kitty", "alacritty", "foot"))
        or (version.isascii() and version.isdigit() and version >= "5000" and len(version) >= 4)
    )
