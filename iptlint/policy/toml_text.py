"""TOML from strangers."""

from __future__ import annotations

import re
import tomllib
from typing import Any

_MOST_PARTS = 500
_PARTS = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+)++""")
"""Keys with dots between: tomllib takes the square of their number."""


def toml_of(text: str) -> dict[str, Any]:
    """``ValueError`` or ``RecursionError`` where it is no TOML, or nested too deeply."""
    if any(key[0].count(".") > _MOST_PARTS for key in _PARTS.finditer(text)):
        raise ValueError("keys are nested too deeply")
    return tomllib.loads(text)
