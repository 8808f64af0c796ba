"""A last line that does not end, in a file that another one includes: nft reads on in its line."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from iptlint.dialects import Reader, read
from iptlint.linter.run import lint
from iptlint.loads.judges import load
from iptlint.source import SourceFile

DEFINE, COMMAND = "define A = 1", "add table ip x"
TABLE = "table ip t {\n}\n"
INCLUDE = 'include "./v.nft"'

ROWS = [
    (DEFINE, f"{INCLUDE}\n{TABLE}", False),
    (DEFINE, f"{INCLUDE}\n\n{TABLE}", True),
    (DEFINE, f"{INCLUDE}\n  \n{TABLE}", True),
    (DEFINE, f"{INCLUDE}\n;{TABLE}", True),
    (DEFINE, f"{INCLUDE}; {TABLE}", False),
    (DEFINE, f"{INCLUDE};\n{TABLE}", True),
    (DEFINE, f"{INCLUDE}\n# c\n{TABLE}", False),
    (DEFINE, f"{INCLUDE}\n# c\n\n{TABLE}", True),
    (DEFINE, f"{INCLUDE} # d\n\n{TABLE}", True),
    (DEFINE, f"{INCLUDE} # d\n{TABLE}", False),
    (DEFINE, f"{INCLUDE}\n", False),
    (DEFINE, f"{INCLUDE}\n\n", True),
    (DEFINE, f"{INCLUDE}\n# c\n", False),
    (f"{DEFINE};", f"{INCLUDE}\n{TABLE}", True),
    (f"{DEFINE}\n# c", f"{INCLUDE}\n\n{TABLE}", False),
    (COMMAND, f"{INCLUDE}\n{TABLE}", False),
    (COMMAND, f"{INCLUDE}\n\n{TABLE}", True),
    (COMMAND, f"{INCLUDE}\n", True),
    (COMMAND, f"{INCLUDE}\n# c\n", True),
    ("table ip x {\n}", f"{INCLUDE}\n{TABLE}", False),
    ("table ip x {\n}", f"{INCLUDE}\n\n{TABLE}", True),
    (COMMAND, f'include "none*.nft"\n{TABLE}', True),  # no file fits
    (COMMAND, f'{TABLE}include "none*.nft"\n', True),
]
"""The included file, the one that includes it, and whether nft takes them."""


def answer(folder: Path, included: str, text: str) -> bool:
    (folder / "v.nft").write_text(included)
    (folder / "m.nft").write_text(text)
    loaded = load(read(SourceFile(str(folder / "m.nft"), text), Reader()), [], None)
    assert loaded is not None
    return loaded.taken


@pytest.mark.parametrize(("included", "text", "taken"), ROWS)
def test_what_ends_the_last_line(tmp_path: Path, included: str, text: str, taken: bool) -> None:
    assert answer(tmp_path, included, text) is taken


@pytest.mark.skipif(shutil.which("nft") is None, reason="needs nft")
@pytest.mark.parametrize(("included", "text", "taken"), ROWS)
def test_nft_agrees(tmp_path: Path, included: str, text: str, taken: bool) -> None:
    (tmp_path / "v.nft").write_text(included)
    (tmp_path / "m.nft").write_text(text)
    call = ["unshare", "-n", "nft", "-f", "m.nft"]
    done = subprocess.run(call, cwd=tmp_path, capture_output=True, check=False, timeout=30)
    assert (done.returncode == 0) is taken


def test_what_others_include_is_not_loaded_by_itself(tmp_path: Path) -> None:
    """Given beside the file that includes it, it wants no table and no end of its last line."""
    texts = {"v.nft": f"# What m.nft needs.\n{DEFINE}", "m.nft": f"{INCLUDE}\n\n{TABLE}"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    files = [SourceFile(str(tmp_path / name), text) for name, text in texts.items()]
    assert {finding.code for finding in lint(files).findings} == set()
    assert {finding.code for finding in lint(files[:1]).findings} == {"IPT006", "IPT008"}
