"""What is fed with mutants: every reader by way of the whole check, and what else reads texts.

By hand, for as long as you like; what is found is left in a folder:

    python -m tests.fuzz.targets --seconds 3600 --keep /tmp/finds [--only nft] [--seeds FOLDER]
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from iptlint.dialects.decode import decode
from iptlint.dialects.files import NoFiles
from iptlint.dialects.readers import read
from iptlint.dialects.reading import Reader
from iptlint.host.archive import ArchiveError, load
from iptlint.linter.run import lint
from iptlint.reports.json_report import json_report
from iptlint.reports.text import text_report
from tests.fuzz.mutants import json_mutant, mutant

ROOT = Path(__file__).parents[2]
SEEDS = ROOT / "tests" / "fuzz" / "seeds"
MOST_SECONDS = 10
READER = Reader(files=NoFiles())


class TooSlowError(Exception):
    """It took more than ``MOST_SECONDS``."""


@dataclass(frozen=True)
class Target:
    """A name for what is read, where texts of it are, and what a file of it is called."""

    name: str
    suffix: str
    patterns: tuple[str, ...]

    def texts(self, more: Path | None = None) -> list[str]:
        folders = [(ROOT / "fixtures", self.patterns), (SEEDS, self.patterns)]
        if more is not None:
            folders.append((more, ("*",)))
        paths = sorted(path for top, names in folders for name in names for path in top.rglob(name))
        texts = (path.read_bytes() for path in paths if path.is_file())
        return [text.decode("utf-8", "surrogateescape") for text in texts if len(text) < 20_000]


TARGETS = (
    Target("iptables", ".v4", ("*.v4", "*.v6")),
    Target("nft", ".nft", ("*.nft",)),
    Target("script", ".sh", ("*.sh",)),
    Target("ipset", ".ipset", ("*.ipset",)),
    Target("json", ".json", ("*.json",)),
)


def checked(name: str, data: bytes, *, whole: bool = True) -> None:
    """Reading, or the whole check and both reports; AssertionError where anything in it fails."""
    source = decode(name, data)
    if not whole:
        read(source, READER)
        return
    report = lint([source], reader=READER)
    crashes = [f.message for f in report.findings if f.code == "IPT009"]
    assert not crashes, crashes
    shown = text_report(report) + json_report(report)
    assert "\x1b" not in shown, "an escape sequence comes through"


def archived(path: Path) -> None:
    with contextlib.suppress(ArchiveError):
        load(str(path))


def mutants(target: Target, draw: Random, more: Path | None = None) -> Iterator[str]:
    """Without an end."""
    texts = target.texts(more)
    words = sorted({word for text in texts for word in text.split() if len(word) < 60})
    while texts:
        text = draw.choice(texts)
        if target.name == "json" and draw.random() < 0.9:
            yield json_mutant(text, draw)
        else:
            yield mutant(text, draw, words)


def failure(name: str, data: bytes, *, whole: bool = True) -> str | None:
    """Why the text is a find; None where all is well."""

    def alarm(*_: object) -> None:
        raise TooSlowError

    signal.signal(signal.SIGALRM, alarm)
    signal.alarm(MOST_SECONDS)
    try:
        checked(name, data, whole=whole)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        places = traceback.extract_tb(error.__traceback__)
        return f"{error!r:.300} at {[f'{Path(p.filename).name}:{p.lineno}' for p in places[-3:]]}"
    finally:
        signal.alarm(0)
    return None


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--only", action="append")
    parser.add_argument("--seeds", type=Path)
    asked = parser.parse_args()
    asked.keep.mkdir(parents=True, exist_ok=True)
    targets = [t for t in TARGETS if not asked.only or t.name in asked.only]
    draw, end, seen, count = Random(asked.seed), time.monotonic() + asked.seconds, set[str](), 0
    streams = {t: mutants(t, draw, asked.seeds) for t in targets}
    while time.monotonic() < end:
        target = draw.choice(targets)
        data = next(streams[target]).encode("utf-8", "surrogateescape")
        count += 1
        why = failure(f"fuzz{target.suffix}", data, whole=count % 8 == 0)
        if why is not None and why not in seen:
            seen.add(why)
            (asked.keep / f"{target.name}-{count}{target.suffix}").write_bytes(data)
            sys.stderr.write(f"{target.name}-{count}: {why}\n")
    sys.stderr.write(f"{count} texts, {len(seen)} finds\n")


if __name__ == "__main__":
    main()
