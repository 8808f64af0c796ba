"""The same ruleset as text and as JSON has one tree: nft itself prints both."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from iptlint.dialects.nft.parser import parse
from iptlint.dialects.nft_json.parser import parse as parse_json
from iptlint.source import SourceFile
from tests.corpus.normal import compared, normal
from tests.corpus.rows import CORPUS, WHY_SKIPPED
from tests.parts import Part

FORMATS = ("nft-dump", "nft-script")
SCRIPT = 'nft -f "$1" && nft list ruleset > "$2/text" && nft -j list ruleset > "$2/json"'
UNREADABLE = "[invalid type]"
"""What nft 1.0.6 prints in JSON for the data of a map that a rule writes to."""


def works() -> bool:
    if not shutil.which("nft") or not shutil.which("unshare"):
        return False
    command = ["unshare", "-rn", "nft", "list", "ruleset"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


pytestmark = [
    pytest.mark.skipif(not CORPUS.is_dir(), reason=WHY_SKIPPED),
    pytest.mark.skipif(not works(), reason="nft cannot be run in a network namespace here"),
]


def listings(path: Path, folder: Path) -> tuple[str, str] | None:
    """What nft prints of a ruleset; None where it does not load here."""
    command = ["unshare", "-rn", "sh", "-ec", SCRIPT, "sh", os.fspath(path), os.fspath(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        return None
    return (folder / "text").read_text("utf-8"), (folder / "json").read_text("utf-8")


def test_the_tree_of_the_text_is_the_tree_of_the_json(tmp_path: Path, part: Part) -> None:
    differing = []
    count = as_given = 0
    dumps, scripts = (sorted((CORPUS / name / "valid").iterdir()) for name in FORMATS)
    chosen = part.of(dumps + scripts, 300)
    for path in chosen:
        printed = listings(path, tmp_path)
        if printed is None or UNREADABLE in printed[1]:
            continue
        count += 1
        text, json = (SourceFile(path.name, each) for each in printed)
        left, right = parse(text), parse_json(json)
        said, told = compared(left.items, right.items)
        if left.diagnostics or right.diagnostics or said != told:
            differing.append(path.name)
        if path in dumps:
            given = parse(SourceFile("-", path.read_text("utf-8")))
            as_given += normal(given.items) == normal(left.items)
    assert differing == []
    assert count > 0.85 * len(chosen)
    assert as_given > (900 if part.whole else 150)
