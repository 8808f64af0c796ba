"""Times reading, analysing and checking of made rulesets, each in a process of its own.

Run: python benchmarks/read_and_check.py [RULES …]; prints the table of benchmarks/README.md.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

from tabulate import tabulate

_STEPS = ("read", "analyse", "check")


def blocklist(rules: int) -> str:
    """A chain of distinct addresses, the kind that should be a set."""
    draw = random.Random(1)
    addresses = (
        f"{draw.randrange(1, 224)}.{draw.randrange(256)}.{draw.randrange(256)}"
        for _ in range(rules)
    )
    lines = (
        f"-A INPUT -s {net}.{n % 254 + 1}/32 -p tcp -m tcp --dport 22 -j DROP"
        for n, net in enumerate(addresses)
    )
    head = ["*filter", ":INPUT DROP [0:0]", ":FORWARD DROP [0:0]", ":OUTPUT ACCEPT [0:0]"]
    return "\n".join([*head, *lines, "COMMIT", ""])


def measure(step: str, rules: int) -> dict[str, float]:
    from iptlint.dialects import read
    from iptlint.linter.run import lint
    from iptlint.netfilter.firewall import Firewall
    from iptlint.source import SourceFile

    source = SourceFile("rules.v4", blocklist(rules))
    start = time.process_time()
    if step == "check":
        lint([source])
    else:
        ruleset = read(source).ruleset
        if step == "analyse":
            start = time.process_time()
            [*Firewall(ruleset).analyses()]
    seconds = time.process_time() - start
    return {"seconds": seconds, "MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main(sizes: list[int]) -> None:
    rows = []
    for rules in sizes:
        for step in _STEPS:
            done = subprocess.run(
                [sys.executable, __file__, "--one", step, str(rules)],
                check=True,
                capture_output=True,
                text=True,
                cwd=Path(__file__).parent.parent,
            )
            found = json.loads(done.stdout)
            rows.append((rules, step, f"{found['seconds']:.1f}", f"{found['MB']:.0f}"))
    print(tabulate(rows, ("rules", "step", "CPU s", "peak MB"), tablefmt="github"))  # noqa: T201


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(sys.argv[2], int(sys.argv[3]))))  # noqa: T201
    else:
        main([int(size) for size in sys.argv[1:]] or [1_000, 10_000, 100_000])
