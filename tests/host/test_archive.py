"""What was gathered comes back as it was, and no archive does any harm."""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from iptlint.host import archive
from iptlint.host.archive import MANIFEST, ArchiveError, is_archive, load, save
from iptlint.host.gathered import CommandOutput, Gathered
from iptlint.model.host import Unread

GATHERED = Gathered(
    "web1",
    True,
    {
        "iptables-save": CommandOutput(b"*filter\nCOMMIT\n", 0),
        "nft": CommandOutput(b"", None, "too long"),
    },
    {
        "/etc/nftables.conf": b"table ip x {\n}\n",
        "/etc/\udcff name": b"\xff",
    },
    {"/etc/systemd/system/multi-user.target.wants/ufw.service": "/lib/systemd/system/ufw.service"},
    (Unread("/root", "Permission denied"),),
)


def written(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> str:
    with tarfile.open(path, "w:gz") as made:
        for member, data in members:
            member.size = len(data) if member.isreg() else 0
            made.addfile(member, io.BytesIO(data))
    return str(path)


def manifest(**more: object) -> tuple[tarfile.TarInfo, bytes]:
    said: dict[str, object] = {
        "version": 1,
        "name": "x",
        "live": True,
        "own_namespace": False,
        "commands": {},
        "links": {},
        "unread": [],
    }
    return tarfile.TarInfo(MANIFEST), json.dumps(said | more).encode()


def test_there_and_back(tmp_path: Path) -> None:
    path = tmp_path / "host.tar.gz"
    save(GATHERED, str(path))
    assert is_archive(str(path))
    assert load(str(path)) == replace(GATHERED, root=None)
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_old_file_becomes_the_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "host.tar.gz"
    path.touch(mode=0o644)
    save(GATHERED, str(path))
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "passwd").write_text("root")
    (tmp_path / "host.tar.gz").symlink_to(tmp_path / "passwd")
    with pytest.raises(OSError, match="symbolic"):
        save(GATHERED, str(tmp_path / "host.tar.gz"))
    assert (tmp_path / "passwd").read_text() == "root"


def test_names_that_lead_elsewhere(tmp_path: Path) -> None:
    link = tarfile.TarInfo("iptlint-host/files/etc/shadow")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/shadow"
    device = tarfile.TarInfo("iptlint-host/files/dev/sda")
    device.type = tarfile.BLKTYPE
    path = written(
        tmp_path / "host.tar.gz",
        manifest(),
        (tarfile.TarInfo("iptlint-host/files/../../../../tmp/pwned"), b"x"),
        (tarfile.TarInfo("/etc/pwned"), b"x"),
        (link, b""),
        (device, b""),
        (tarfile.TarInfo("iptlint-host/files/etc/nftables.conf"), b"ok"),
    )
    before = {*tmp_path.iterdir()}
    assert load(path).files == {"/etc/nftables.conf": b"ok"}
    assert {*tmp_path.iterdir()} == before


def test_a_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive._Limited, "left", 2**20)
    big = tarfile.TarInfo("iptlint-host/files/etc/nftables.conf")
    path = written(tmp_path / "host.tar.gz", manifest(), (big, bytes(2**22)))
    with pytest.raises(ArchiveError, match="too long"):
        load(path)


def test_a_bomb_in_a_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive._Limited, "left", 2**20)
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 2**30
    with gzip.open(tmp_path / "host.tar.gz", "wb") as file:
        file.write(header.tobuf() + bytes(2**22))
    assert not is_archive(str(tmp_path / "host.tar.gz"))


def test_what_is_mostly_holes(tmp_path: Path) -> None:
    """A header of 512 bytes says of itself that it stands for 64 MiB: GNU's sparse files."""
    hollow = tarfile.TarInfo("iptlint-host/files/etc/nftables.conf").tobuf(tarfile.GNU_FORMAT)
    field = bytearray(hollow)
    field[156:157] = tarfile.GNUTYPE_SPARSE
    field[483:495] = b"%011o\0" % 2**26
    field[148:156] = b"        "
    field[148:156] = b"%06o\0 " % sum(field)
    member, said = manifest()
    member.size = len(said)
    whole = member.tobuf() + said + bytes(-len(said) % 512) + field * 1000 + bytes(1024)
    (tmp_path / "host.tar.gz").write_bytes(gzip.compress(whole))
    with tarfile.open(tmp_path / "host.tar.gz") as made:
        assert made.getmembers()[1].size == 2**26
    assert not load(str(tmp_path / "host.tar.gz")).files


def test_a_disk_that_is_full_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "host.tar.gz"
    path.write_bytes(b"old")
    monkeypatch.setattr(archive, "_write", full)
    with pytest.raises(OSError, match="No space"):
        save(GATHERED, str(path))
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"old"]


def test_a_device_is_not_written_to() -> None:
    with pytest.raises(OSError, match="is no file"):
        save(GATHERED, os.devnull)


@pytest.mark.parametrize(
    "more",
    [
        {"version": 2},
        {"commands": []},
        {"commands": {"nft": {"status": "x", "complaint": ""}}},
        {"links": 3},
        {"unread": [1]},
    ],
)
def test_a_manifest_that_is_not_ours(tmp_path: Path, more: dict[str, object]) -> None:
    with pytest.raises(ArchiveError):
        load(written(tmp_path / "host.tar.gz", manifest(**more)))


def test_what_is_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "host.tar.gz"
    save(GATHERED, str(path))
    whole = path.read_bytes()
    for size in (0, 1, 2, 40, len(whole) // 2):
        path.write_bytes(whole[:size])
        if is_archive(str(path)):
            with pytest.raises(ArchiveError):
                load(str(path))


def test_a_command_that_nobody_knows_is_left_out(tmp_path: Path) -> None:
    said = {"status": 0, "complaint": ""}
    path = written(tmp_path / "host.tar.gz", manifest(commands={"../x": said, "nft": said}))
    assert [*load(path).outputs] == ["nft"]
