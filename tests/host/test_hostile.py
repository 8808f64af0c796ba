"""Names and comments that would be commands to a shell, or to a terminal."""

from __future__ import annotations

import subprocess
from pathlib import Path

from click.testing import CliRunner

from iptlint.cli import group
from iptlint.host.archive import save
from iptlint.host.hooks import loaders
from iptlint.host.remote import answered, script
from tests.host.made_up import CLOSED, WANTS, Root, findings

PWNED = "pwned"
NAMES = (
    f"$(touch {PWNED})",
    f"`touch {PWNED}`",
    f";touch {PWNED};",
    f"|touch {PWNED}",
    f"a\ntouch {PWNED}\n",
    "-rf",
    "--checkpoint-action=exec=sh",
    "\x1b]0;title\x07\x1b[2J",
    "*",
    "\udcff",
)


def hostile(root: Root) -> None:
    for name in NAMES:
        for directory in (WANTS, "/etc/network/if-pre-up.d", "/etc/cron.d", "/etc/rc2.d"):
            here = root.path / directory.lstrip("/") / f"S01{name}.service"
            here.parent.mkdir(parents=True, exist_ok=True)
            here.symlink_to(f"/{name}")
        file = root.path / "etc/network/if-pre-up.d" / f"x{name}"
        text = f"#!/bin/sh\niptables-restore < /etc/{name}\niptables -A $(touch {PWNED})\n"
        file.write_bytes(text.encode("utf-8", "surrogateescape"))
        file.chmod(0o755)
    root.file(
        "/etc/rc.local",
        f"#!/bin/sh\niptables-restore < '/etc/$(touch {PWNED})'\n. \x1b[31m iptables\n",
    )


def test_no_name_is_ever_a_command(tmp_path: Path) -> None:
    root = Root(tmp_path / "root")
    hostile(root)
    assert loaders(root.gather())
    evil = (
        f'-A INPUT -i "a;touch {PWNED}" -m comment --comment "\x1b[2J$(touch {PWNED})" -j ACCEPT\n'
    )
    text = CLOSED.replace("COMMIT", evil + "COMMIT")
    findings(root.alive(iptables_legacy_save=text), "IPT")
    assert [*tmp_path.rglob(PWNED)] == []
    assert not Path(PWNED).exists()


def test_nothing_speaks_to_the_terminal(tmp_path: Path) -> None:
    root = Root(tmp_path / "root")
    hostile(root)
    result = CliRunner().invoke(group, ["live", "--root", str(root.path)], standalone_mode=False)
    assert "\x1b" not in result.output
    assert "\x07" not in result.output
    archive = tmp_path / "host.tar.gz"
    evil = '-A INPUT -m comment --comment "\x1b[2J" -p tcp -m tcp --dport 3306 -j ACCEPT\nCOMMIT'
    save(root.alive(iptables_legacy_save=CLOSED.replace("COMMIT", evil)), str(archive))
    result = CliRunner().invoke(group, ["check", str(archive)], standalone_mode=False)
    assert "\x1b" not in result.output
    assert "IPT" in result.output


def test_no_name_is_ever_a_command_on_a_remote_host(tmp_path: Path) -> None:
    """The script that runs there, led to the made-up files."""
    root = Root(tmp_path / "root")
    hostile(root)
    text = script().replace(" /etc/", f" {root.path}/etc/")
    done = subprocess.run(
        ["sh", "-s"], input=text.encode(), capture_output=True, check=False, cwd=tmp_path
    )
    assert [*tmp_path.rglob(PWNED)] == []
    gathered = answered("x", done.stdout)
    directory = f"{root.path}/etc/network/if-pre-up.d"
    assert {f"{directory}/x{name}" for name in NAMES[:-1]} <= {*gathered.files}
    assert {f"/{name}" for name in NAMES[:-1] if not name.endswith("\n")} <= {
        *gathered.links.values()
    }
