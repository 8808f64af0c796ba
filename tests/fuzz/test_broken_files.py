"""What has broken iptlint once, or would have: each file is read, and none ends in a crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.questions import QUESTIONS
from tests.fuzz.targets import ROOT, failure

FOLDER = ROOT / "fixtures" / "broken"
BROKEN = sorted(path for path in FOLDER.iterdir() if path.is_file())
ASKED_ALONE = sorted(path for path in FOLDER.glob("*/*"))
"""In a folder that is called like the question."""


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.name)
def test_a_file_that_broke_it_is_answered(path: Path) -> None:
    assert failure(path.name, path.read_bytes()) is None


@pytest.mark.parametrize("path", ASKED_ALONE, ids=lambda path: path.name)
def test_a_file_beside_the_rules_that_broke_it_is_answered(path: Path) -> None:
    assert failure(path.name, path.read_bytes(), QUESTIONS[path.parent.name]) is None
