"""What is kept is found again, and nothing else is believed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from iptlint.linter import store
from iptlint.linter.store import Store, StoreError

KEY, OTHER = "a" * 64, "b" * 64


def test_what_is_kept_is_found(tmp_path: Path) -> None:
    kept = Store(tmp_path / "deep" / "cache")
    assert kept.get(KEY) is None
    kept.put(KEY, b"answer")
    assert kept.get(KEY) == b"answer"
    assert kept.get(OTHER) is None
    assert (tmp_path / "deep" / "cache").stat().st_mode & 0o777 == 0o700


def _file(directory: Path) -> Path:
    (path,) = directory.glob("*.answer")
    return path


def test_what_was_changed_or_cut_short_is_not_believed(tmp_path: Path) -> None:
    kept = Store(tmp_path / "cache")
    kept.put(KEY, b"a long answer")
    path = _file(kept.directory)
    whole = path.read_bytes()
    for number in range(len(whole)):
        path.write_bytes(whole[:number])
        assert kept.get(KEY) is None
        path.write_bytes(whole[:number] + bytes([whole[number] ^ 1]) + whole[number + 1 :])
        assert kept.get(KEY) is None
    path.write_bytes(whole)
    assert kept.get(KEY) == b"a long answer"
    path.rename(path.with_name(path.name.replace("a" * 64, OTHER)))
    assert kept.get(OTHER) is None


def test_links_pipes_and_what_others_may_write_are_not_read(tmp_path: Path) -> None:
    kept = Store(tmp_path / "cache")
    kept.put(KEY, b"answer")
    path = _file(kept.directory)
    path.chmod(0o666)
    assert kept.get(KEY) is None
    path.chmod(0o600)
    elsewhere = tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    assert kept.get(KEY) is None
    path.unlink()
    os.mkfifo(path)
    assert kept.get(KEY) is None
    path.unlink()
    path.mkdir()
    assert kept.get(KEY) is None
    kept.put(KEY, b"again")  # cannot be written, and that is no matter


def test_a_directory_that_others_may_write_to_is_not_used(tmp_path: Path) -> None:
    directory = tmp_path / "cache"
    directory.mkdir()
    directory.chmod(0o777)
    with pytest.raises(StoreError, match="may be written to by others"):
        Store(directory)
    with pytest.raises(StoreError, match="cannot be used"):
        Store(_a_file(tmp_path))


def _a_file(folder: Path) -> Path:
    (folder / "file").write_text("")
    return folder / "file"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes a directory somebody else's")
def test_a_directory_of_somebody_else_is_not_used(tmp_path: Path) -> None:
    directory = tmp_path / "cache"
    directory.mkdir(mode=0o700)
    os.chown(directory, 12345, 12345)
    with pytest.raises(StoreError, match="belongs to somebody else"):
        Store(directory)


def test_the_oldest_go_where_there_are_very_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_MOST_FILES", 10)
    monkeypatch.setattr(store, "_KEPT_FILES", 5)
    kept = Store(tmp_path / "cache")
    for number in range(12):
        kept.put(f"{number:064}", b"")
        os.utime(kept.directory / f"{number:064}.answer", (number, number))
    kept.forget_old()
    assert sorted(int(path.name[:64]) for path in kept.directory.iterdir()) == [7, 8, 9, 10, 11]
