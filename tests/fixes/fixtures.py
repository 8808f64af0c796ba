"""The bad fixtures of the rules that have fixes, each in a folder of its own, fixed."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from iptlint.cli import group
from iptlint.rules.registry import rules
from tests.expectations import FIXTURES, files_of
from tests.kernel.namespaces import Namespace

_OPTIONS = re.compile(r"^\s*# options: (.*)$", re.MULTILINE)
FIXABLE = [rule.meta.code for rule in rules() if rule.meta.fixable]


@dataclass(frozen=True)
class Case:
    code: str
    path: Path

    def __str__(self) -> str:
        return f"{self.code}-{self.path.name}"


CASES = [
    Case(code, path)
    for code in FIXABLE
    for path in sorted((FIXTURES / "rules" / code).glob("bad*"))
]


@dataclass(frozen=True)
class Repaired:
    """``files``: each fixture with its copy that was fixed; ``answer``: what the command said."""

    files: list[tuple[Path, Path]]
    answer: dict[str, Any]

    @property
    def applied(self) -> list[dict[str, Any]]:
        return list(self.answer["fixes"]["applied"])


def check(files: list[Path], *options: str) -> dict[str, Any]:
    """What the command line says, with the options that the fixtures ask for."""
    texts = [file.read_text("utf-8", "replace") for file in files]
    asked = [word for t in texts for found in _OPTIONS.findall(t) for word in shlex.split(found)]
    args = ["check", *map(str, files), "--output-format", "json", *asked, *options]
    result = CliRunner().invoke(group, args, catch_exceptions=False, standalone_mode=False)
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


_LOADERS = {
    ".v4": ("iptables-legacy-restore",),
    ".v6": ("ip6tables-legacy-restore",),
    ".nft": ("nft", "-f", "-"),
    ".sh": ("sh", "-n"),
}


def is_taken(file: Path) -> bool:
    """Whether the tool and the kernel take the file, on a host that has the sets beside it and no
    rules; of a script, whether a shell reads it."""
    namespace = Namespace()
    sets = file.with_name("ipsets")
    try:
        if sets.exists():
            namespace.run(("ipset", "restore"), sets.read_text("utf-8"))
        namespace.run(_LOADERS[file.suffix], file.read_text("utf-8"))
    except RuntimeError:
        return False
    finally:
        namespace.close()
    return True


def repaired(case: Case, folder: Path) -> Repaired:
    """The case with all that its rule can fix."""
    files = []
    for file in files_of(case.path):
        copy = folder / file.name
        shutil.copy(file, copy)
        files.append((file, copy))
    options = ("--fix", "--unsafe-fixes", "--fix-only", case.code)
    return Repaired(files, check([copy for _, copy in files], *options))
