"""What has broken iptlint once, or would have: each file is read, and none ends in a crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.targets import ROOT, failure

BROKEN = sorted((ROOT / "fixtures" / "broken").iterdir())


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.name)
def test_a_file_that_broke_it_is_answered(path: Path) -> None:
    assert failure(path.name, path.read_bytes()) is None
