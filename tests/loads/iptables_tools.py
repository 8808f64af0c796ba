"""What the tools say of a file: each is given it in a network of its own, and commits it."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from functools import cached_property

VARIANTS = ("legacy", "nft")

_EMPTY = "".join(f"*{table}\nCOMMIT\n" for table in ("filter", "nat", "mangle", "raw", "security"))
_LINE = re.compile(r"(?:line:? |line #|at line )(\d+)")

_TOLD = re.compile(r"^ip6?tables-\S*restore v[\d.]+ \(\w+\)(?:$|\n\nUsage: )")
"""What -V and -h print: the tool ends there, and has loaded nothing of the table."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``status`` and what the tool printed."""

    status: int
    said: str

    @property
    def taken(self) -> bool:
        return self.status == 0 and not _TOLD.search(self.said)

    @property
    def crashed(self) -> bool:
        """iptables-nft 1.8.9 does, of `-Z INPUT 1`."""
        return self.status < 0

    @property
    def line(self) -> int | None:
        numbers = _LINE.findall(self.said)
        return int(numbers[-1]) if numbers else None


class Tools:
    """The restoring tools of one family, within the namespace of whoever asks."""

    def __init__(self, family: str) -> None:
        self._name = "iptables" if family == "ip" else "ip6tables"

    @cached_property
    def version(self) -> str:
        asked = subprocess.run(
            [f"{self._name}-legacy", "--version"], capture_output=True, text=True, check=True
        )
        return asked.stdout.split()[1]

    def ask(self, variant: str, text: str) -> Answer:
        """Of a file that is loaded at boot, so there are no rules before it."""
        self._empty()
        return self._restore(variant, text)

    def _empty(self) -> None:
        """What both variants have: some matches share what they know by its name."""
        subprocess.run(["nft", "flush", "ruleset"], check=True)
        emptied = self._restore("legacy", _EMPTY)
        assert emptied.taken, emptied.said

    def _restore(self, variant: str, text: str) -> Answer:
        done = subprocess.run(
            [f"{self._name}-{variant}-restore"],
            input=text.encode(errors="surrogateescape"),
            capture_output=True,
            timeout=30,
            check=False,
        )
        said = (done.stderr + done.stdout).decode(errors="replace").strip()
        return Answer(done.returncode, said)
