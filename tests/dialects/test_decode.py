"""What is read of a file: as much as is asked for, and nothing of a device."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from iptlint.dialects.decode import load


def test_a_longer_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sparse.v4"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(OSError, match="longer than 100 bytes"):
        load(str(path), 100)


@pytest.mark.skipif(os.name != "posix", reason="devices of POSIX")
def test_a_device_is_no_file_and_nothing_is_an_empty_one() -> None:
    with pytest.raises(OSError, match="is a device"):
        load("/dev/zero")
    assert load("/dev/null").text == ""
