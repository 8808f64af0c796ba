"""Scripts of our own carried out by a real shell, in a network namespace that begins without rules.

What it runs of the tools is written down, with their answers, and what they leave is saved.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

TOOLS = (
    *("iptables", "ip6tables", "iptables-restore", "ip6tables-restore"),
    *("iptables-save", "ip6tables-save", "ipset", "nft"),
)
_WRAPPER = """#!/bin/bash
{tool} "$@"
status=$?
{{ flock 9; printf '%s\\0' $status {name} "$@" >&9; printf '\\n' >&9; }} 9>> {log}
exit $status
"""
"""Several may run at once."""

_SUDO = '#!/bin/sh\nwhile [ "${1#-}" != "$1" ]; do shift; done\nexec "$@"\n'

_RUN = """
PATH="$1/bin:$PATH" TMPDIR="$1" timeout 20 "$2" $3 </dev/null >"$1/printed" 2>&1
iptables-save > "$1/v4"
ip6tables-save > "$1/v6"
for table in filter nat mangle raw security; do
  if grep -q "^\\*$table" "$1/v4"; then nft delete table ip $table; fi
  if grep -q "^\\*$table" "$1/v6"; then nft delete table ip6 $table; fi
done 2>/dev/null
nft -s list ruleset > "$1/nft"
"""


@dataclass(frozen=True)
class Ran:
    """``commands``: each with its words and whether it failed. ``printed``: what the script says.
    ``v4``, ``v6``: what the tables of iptables hold then, ``nft`` the other ones."""

    commands: list[tuple[tuple[str, ...], bool]]
    printed: str
    v4: str
    v6: str
    nft: str


def run(script: Path, folder: Path) -> Ran:
    """``folder``: an empty one, which the script may write into."""
    log = folder / "log"
    log.touch()
    (folder / "bin").mkdir()
    for name in filter(shutil.which, TOOLS):
        text = _WRAPPER.format(tool=shutil.which(name), name=name, log=log)
        _executable(folder / "bin" / name, text)
    _executable(folder / "bin" / "sudo", _SUDO)
    script.chmod(0o755)
    command = ["unshare", "--net", "bash", "-c", _RUN, "bash", str(folder), str(script)]
    subprocess.run(
        [*command, arguments(script.read_text("utf-8"))], cwd=folder, timeout=60, check=False
    )
    entries = log.read_text("utf-8").split("\0\n")[:-1]
    split = [entry.split("\0") for entry in entries]
    texts = ((folder / name).read_text("utf-8") for name in ("printed", "v4", "v6", "nft"))
    return Ran([((*words,), status != "0") for status, *words in split], *texts)


def arguments(text: str) -> str:
    """What a script is called with, as a comment of it says."""
    match = re.search(r"^# args: (.*)$", text, re.MULTILINE)
    return match[1] if match else ""


def _executable(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    path.chmod(0o755)
