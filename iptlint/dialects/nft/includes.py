"""Where the files are that an include names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFAULT_DIRECTORIES = (Path("/etc"),)


@dataclass(frozen=True, slots=True)
class Includes:
    directories: tuple[Path, ...]
