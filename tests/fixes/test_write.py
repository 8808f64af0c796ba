"""Files are replaced as a whole, all or none, and stay what they were but for their text."""

from __future__ import annotations

import os
import signal
import stat
import tempfile
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from iptlint.dialects.decode import load
from iptlint.fixes.write import NotWrittenError, write_all
from iptlint.source import SourceFile


def source(path: Path, data: bytes) -> SourceFile:
    path.write_bytes(data)
    return load(str(path))


def changed(before: SourceFile, text: str) -> tuple[SourceFile, SourceFile]:
    return before, SourceFile(before.path, text, before.marked)


def test_mode_and_bytes_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "rules.v4"
    before = source(path, b"\xef\xbb\xbf# caf\xe9\r\nold\r\n")
    path.chmod(0o640)
    write_all([changed(before, before.text.replace("old", "new"))])
    assert path.read_bytes() == b"\xef\xbb\xbf# caf\xe9\r\nnew\r\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="root gives files away")
def test_the_owner_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "rules.v4"
    before = source(path, b"old\n")
    os.chown(path, 12345, 23456)
    path.chmod(0o4711)
    write_all([changed(before, "new\n")])
    kept = path.stat()
    assert (kept.st_uid, kept.st_gid, stat.S_IMODE(kept.st_mode)) == (12345, 23456, 0o4711)


def test_a_link_stays_one(tmp_path: Path) -> None:
    path, link = tmp_path / "real" / "rules.v4", tmp_path / "rules.v4"
    path.parent.mkdir()
    source(path, b"old\n")
    link.symlink_to(path)
    write_all([changed(load(str(link)), "new\n")])
    assert link.is_symlink()
    assert path.read_bytes() == b"new\n"


def test_a_link_to_a_link_leads_to_one_file(tmp_path: Path) -> None:
    """Two names of one file are one text: what is written by one is there by the other."""
    path = tmp_path / "rules.v4"
    source(path, b"old\n")
    (tmp_path / "one").symlink_to(path)
    (tmp_path / "two").symlink_to("one")
    write_all([changed(load(str(tmp_path / "two")), "new\n")])
    assert [(tmp_path / name).is_symlink() for name in ("one", "two")] == [True, True]
    assert (tmp_path / "one").read_bytes() == b"new\n"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs a user to be")
@pytest.mark.parametrize("forbidden", ["directory", "owner"])
def test_a_user_who_may_not_changes_nothing(tmp_path: Path, forbidden: str) -> None:
    """A file that would get another owner, or cannot be replaced in one step, stays."""
    nobody = 65534
    for directory in (tmp_path, *tmp_path.parents[:-2]):
        directory.chmod(0o755)
    folder = tmp_path / "etc"
    folder.mkdir()
    paths = [folder / "rules.v4", folder / "rules.v6"]
    sources = [source(path, b"old\n") for path in paths]
    os.chown(paths[0], nobody, nobody)
    os.chown(paths[1], nobody, nobody if forbidden == "directory" else 0)
    os.chown(folder, nobody if forbidden == "owner" else 0, 0)
    os.seteuid(nobody)
    try:
        with pytest.raises(NotWrittenError, match="no file was changed"):
            write_all([changed(each, "new\n") for each in sources])
    finally:
        os.seteuid(0)
    assert [path.read_bytes() for path in paths] == [b"old\n", b"old\n"]
    assert sorted(folder.iterdir()) == paths


def test_a_second_name_would_keep_the_old_text(tmp_path: Path) -> None:
    path = tmp_path / "rules.v4"
    before = source(path, b"old\n")
    (tmp_path / "other").hardlink_to(path)
    with pytest.raises(NotWrittenError, match="hard link"):
        write_all([changed(before, "new\n")])
    assert path.read_bytes() == b"old\n"


def test_what_somebody_else_wrote_meanwhile_stays(tmp_path: Path) -> None:
    one, other = (tmp_path / name for name in ("rules.v4", "rules.v6"))
    sources = source(one, b"old\n"), source(other, b"old\n")
    other.write_bytes(b"newer\n")
    with pytest.raises(NotWrittenError, match="has changed since it was read"):
        write_all([changed(each, "new\n") for each in sources])
    assert (one.read_bytes(), other.read_bytes()) == (b"old\n", b"newer\n")
    assert sorted(tmp_path.iterdir()) == [one, other]


def test_all_come_back_where_one_cannot_be_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [tmp_path / name for name in ("a", "b")]
    sources = [source(path, b"old\n") for path in paths]
    replace = Path.replace

    def failing(self: Path, target: Path) -> Path:
        if target.name == "b" and self.read_bytes() == b"new\n":
            raise OSError(28, "No space left on device", str(target))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(NotWrittenError, match="No space left on device; no file was changed"):
        write_all([changed(each, "new\n") for each in sources])
    assert [path.read_bytes() for path in paths] == [b"old\n", b"old\n"]
    assert sorted(tmp_path.iterdir()) == paths


def test_no_room_for_a_copy_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rules.v4"
    before = source(path, b"old\n")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NotWrittenError, match=r"rules\.v4 cannot be replaced .*: No space left"):
        write_all([changed(before, "new\n")])
    assert path.read_bytes() == b"old\n"
    assert [*tmp_path.iterdir()] == [path]


def test_a_new_file_is_there_only_with_all_others(tmp_path: Path) -> None:
    rules = source(tmp_path / "rules.v4", b"*filter\nCOMMIT\n")
    sets = SourceFile(str(tmp_path / "ipsets"), "create banned hash:net family inet\n")
    write_all([changed(rules, "*raw\nCOMMIT\n")], [sets])
    assert (tmp_path / "ipsets").read_text() == sets.text
    with pytest.raises(NotWrittenError, match="ipsets is there already"):
        write_all([changed(source(tmp_path / "rules.v4", b"a\n"), "b\n")], [sets])
    assert (tmp_path / "rules.v4").read_bytes() == b"a\n"
    (tmp_path / "ipsets").unlink()
    (tmp_path / "rules.v4").write_bytes(b"of somebody else\n")
    with pytest.raises(NotWrittenError, match="has changed"):
        write_all([changed(SourceFile(str(tmp_path / "rules.v4"), "a\n"), "b\n")], [sets])
    assert not (tmp_path / "ipsets").exists()


@pytest.mark.parametrize(
    ("error", "told"),
    [(OSError(28, "No space left on device"), NotWrittenError), (KeyboardInterrupt(), None)],
)
def test_a_new_file_is_there_whole_or_not_at_all(
    error: BaseException,
    told: type[BaseException] | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An empty ipsets beside rules that need a set of it would be loaded at boot."""
    rules = source(tmp_path / "rules.v4", b"*filter\nCOMMIT\n")
    sets = SourceFile(str(tmp_path / "ipsets"), "create banned hash:net family inet\n")

    def full(_: int) -> None:
        raise error

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(told or type(error)):
        write_all([changed(rules, "*raw\nCOMMIT\n")], [sets])
    assert [*tmp_path.iterdir()] == [tmp_path / "rules.v4"]
    assert (tmp_path / "rules.v4").read_bytes() == b"*filter\nCOMMIT\n"


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("step", ["mkstemp", "fsync", "replace"])
def test_a_signal_waits_until_all_files_are_there(
    step: str, number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left beside them, and what the signal is for comes about then."""
    owner = {"mkstemp": tempfile, "fsync": os, "replace": Path}[step]
    real = getattr(owner, step)
    came: list[int] = []

    def struck(*arguments: Any, **named: Any) -> Any:
        answer = real(*arguments, **named)
        signal.raise_signal(number)
        return answer

    def ended(number: int, _: object) -> None:
        came.append(number)
        raise KeyboardInterrupt

    monkeypatch.setattr(owner, step, struck)
    pairs = []
    for name in ("a.v4", "b.v4"):
        (tmp_path / name).write_bytes(b"old")
        source = load(tmp_path / name)
        pairs.append((source, SourceFile(source.path, "new")))
    before = signal.signal(number, ended)
    try:
        with pytest.raises(KeyboardInterrupt):
            write_all(pairs)
        assert signal.getsignal(number) is ended
    finally:
        signal.signal(number, before)
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {
        "a.v4": b"new",
        "b.v4": b"new",
    }
    assert came[0] == number


def test_another_thread_gets_no_signals(tmp_path: Path) -> None:
    (tmp_path / "a.v4").write_bytes(b"old")
    source = load(tmp_path / "a.v4")
    thread = Thread(target=write_all, args=([(source, SourceFile(source.path, "new"))],))
    thread.start()
    thread.join()
    assert (tmp_path / "a.v4").read_bytes() == b"new"
