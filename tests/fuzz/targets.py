"""What is fed with mutants: every reader, by way of what people ask of a file, and what else reads
texts.

By hand, for as long as you like; what is found is left in a folder:

    python -m tests.fuzz.targets --seconds 3600 --keep /tmp/finds [--only nft] [--seeds FOLDER]
"""

from __future__ import annotations

import argparse
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.fuzz.mutants import json_mutant, mutant
from tests.fuzz.questions import QUESTIONS, checked

ROOT = Path(__file__).parents[2]
SEEDS = ROOT / "tests" / "fuzz" / "seeds"
MOST_SECONDS = 10
MOST_KIBIBYTES = 1 << 20


class TooSlowError(BaseException):
    """It took more than ``MOST_SECONDS`` of the processor."""


@dataclass(frozen=True)
class Target:
    """A name for what is read, where texts of it are, and what a file of it is called.
    ``question``: the only one that is asked of it."""

    name: str
    suffix: str
    patterns: tuple[str, ...]
    question: str = ""

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
    Target("archive", ".tar.gz", ("rules.v4", "*.nft", "*.sh"), "archive"),
    Target("configuration", ".toml", ("every_setting.toml",), "configuration"),
    Target("policy", ".toml", ("every_claim.toml",), "policy"),
    Target("log", ".log", ("*.log",), "log"),
    Target("baseline", ".json", ("*.baseline",), "baseline"),
)


def mutants(target: Target, draw: Random, more: Path | None = None) -> Iterator[str]:
    """Without an end."""
    texts = target.texts(more)
    words = sorted({word for text in texts for word in text.split() if len(word) < 60})
    while texts:
        text = draw.choice(texts)
        if target.suffix == ".json" and draw.random() < 0.9:
            try:
                yield json_mutant(text, draw)
            except ValueError:
                continue  # what is kept because it is no JSON
        else:
            yield mutant(text, draw, words)


def failure(name: str, data: bytes, ask: Callable[[str, bytes], None] = checked) -> str | None:
    """Why the text is a find; None where all is well."""

    def alarm(*_: object) -> None:
        raise TooSlowError

    # Processor time: another process that is at work makes no find.
    signal.signal(signal.SIGPROF, alarm)
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        ask(name, data)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown < MOST_KIBIBYTES, f"{grown >> 10} MiB"
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        places = traceback.extract_tb(error.__traceback__)
        return f"{error!r:.300} at {[f'{Path(p.filename).name}:{p.lineno}' for p in places[-3:]]}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
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
    draw, end, seen = Random(asked.seed), time.monotonic() + asked.seconds, set[str]()
    streams = {t: mutants(t, draw, asked.seeds) for t in targets}
    done = Counter[tuple[str, str]]()
    while time.monotonic() < end:
        target = draw.choice(targets)
        question = _question(target, draw)
        data = next(streams[target]).encode("utf-8", "surrogateescape")
        done[target.name, question] += 1
        why = failure(f"fuzz{target.suffix}", data, QUESTIONS[question])
        if why is not None and why not in seen:
            seen.add(why)
            name = f"{target.name}-{question}-{asked.seed}-{done.total()}"
            (asked.keep / f"{name}{target.suffix}").write_bytes(data)
            sys.stderr.write(f"{name}: {why}\n")
    for (name, question), count in sorted(done.items()):
        sys.stderr.write(f"{name}, {question}: {count}\n")
    sys.stderr.write(f"{done.total()} texts, {len(seen)} finds, {time.process_time():.0f} s\n")
    sys.exit(bool(seen))


def _question(target: Target, draw: Random) -> str:
    """Reading is what most texts break, and costs least."""
    if target.question:
        return target.question
    alone = {"read", *(target.question for target in TARGETS)}
    others = [name for name in QUESTIONS if name not in alone]
    return "read" if draw.random() < 0.7 else draw.choice(others)


if __name__ == "__main__":
    main()
