"""Mutants of iptables-save files, put to both variants of the tool and to the judge.

``python -m tests.loads.iptables_judge FAMILY COUNT SEED`` counts them, and prints where the two
differ; it empties the tables of the network that it runs in (``unshare -n``).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from iptlint.dialects import Reader, read
from iptlint.loads.judges import load
from iptlint.loads.refusal import Refusal
from iptlint.model import Family
from iptlint.source import SourceFile
from tests.loads.iptables_mutants import KINDS, Mutant, mutants
from tests.loads.iptables_seeds import seeds
from tests.loads.iptables_tools import VARIANTS, Answer, Tools

HOST = re.compile(
    r"host/network `[^']*[A-Za-z][^']*' not found|getaddrinfo: |connlabel\.conf"
    r"|owner: Bad value for .--[ug]id-owner. option: .[^0-9]|could not map name [A-Za-z]"
)
"""What the tool says where a name means nothing on this host: of a host, a user, a label."""

_EACH = 4
"""Mutants of one seed."""


@dataclass(slots=True)
class Tally:
    """Of one variant. ``passed``: the tool refuses it and we do not; ``false``: the other way
    round; ``astray``: refused at another line than the tool says."""

    variant: str
    refused: int = 0
    taken: int = 0
    of_host: int = 0
    passed: list[tuple[Mutant, str]] = field(default_factory=list)
    false: list[tuple[Mutant, Refusal]] = field(default_factory=list)
    astray: list[tuple[Mutant, str]] = field(default_factory=list)

    def __str__(self) -> str:
        share = 100 * len(self.passed) / max(1, self.refused)
        wrong = 100 * len(self.false) / max(1, self.taken)
        return (
            f"iptables-{self.variant}: refused {self.refused}, of these passed here "
            f"{len(self.passed)} ({share:.2f} %), at another line {len(self.astray)}; taken "
            f"{self.taken}, of these refused here {len(self.false)} ({wrong:.2f} %); for want of "
            f"something on the host {self.of_host}"
        )

    def count(self, mutant: Mutant, answer: Answer, refusals: Sequence[Refusal]) -> None:
        refusal = next((r for r in refusals if r.variant in ("", self.variant)), None)
        if answer.taken:
            self.taken += 1
            if refusal is not None:
                self.false.append((mutant, refusal))
        elif HOST.search(answer.said) or answer.crashed:
            self.of_host += 1
        else:
            self.refused += 1
            if refusal is None:
                self.passed.append((mutant, answer.said))
            elif not _at_line(mutant, answer, refusal):
                self.astray.append((mutant, answer.said))


def _at_line(mutant: Mutant, answer: Answer, refusal: Refusal) -> bool:
    """iptables-legacy names the line with COMMIT for all that the kernel refuses."""
    lines = mutant.text.split("\n")
    at = answer.line
    commits = at is not None and lines[min(at, len(lines)) - 1].startswith("COMMIT")
    return at is None or commits or at == refusal.span.line


def judged(text: str, family: str) -> tuple[Refusal, ...]:
    of_family = Family.IP if family == "ip" else Family.IP6
    answer = load(read(SourceFile("mutant", text), Reader(of_family)))
    return answer.refusals if answer is not None else ()


def judge(family: str, count: int, random: Random) -> tuple[Tally, ...]:
    """``count`` mutants, put to each variant."""
    tools = Tools(family)
    tallies = tuple(Tally(variant) for variant in VARIANTS)
    for mutant in _mutants(family, count, tools, random):
        refusals = judged(mutant.text, family)
        for tally in tallies:
            tally.count(mutant, tools.ask(tally.variant, mutant.text), refusals)
    return tallies


def _mutants(family: str, count: int, tools: Tools, random: Random) -> Iterator[Mutant]:
    left = count
    for seed in seeds(family, random):
        text = "\n".join(seed.lines) + "\n"
        if not all(tools.ask(variant, text).taken for variant in VARIANTS):
            continue
        for mutant in mutants(seed, random.sample(list(KINDS), _EACH), random):
            yield mutant
            left -= 1
            if not left:
                return


def main(arguments: Sequence[str]) -> None:
    family, count, seed = arguments
    for tally in judge(family, int(count), Random(seed)):
        sys.stdout.write("\n\n".join((str(tally), *_differences(tally))) + "\n\n")


def _differences(tally: Tally) -> Iterator[str]:
    for mutant, said in tally.passed:
        yield f"PASSED {mutant.kind} {mutant.changed}\n{said}"
    for mutant, refusal in tally.false:
        yield f"FALSE {mutant.kind} {mutant.changed}\n{refusal.span.line}: {refusal.cause}"
    for mutant, said in tally.astray:
        yield f"ASTRAY {mutant.kind} {mutant.changed}\n{said}"


if __name__ == "__main__":
    main(sys.argv[1:])
