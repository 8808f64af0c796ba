"""Mutants of nft files, put to ``nft -f`` in a network of their own and to the judge.

``python -m tests.loads.nft_judge COUNT SEED FILE…`` counts them, and prints where the two differ.
"""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from iptlint.dialects import Reader, read
from iptlint.dialects.files import NoFiles
from iptlint.loads.judges import load
from iptlint.loads.refusal import Load
from iptlint.loads.target import target_of
from iptlint.source import SourceFile
from tests.loads.mutants import Language, Mutant, mutants

_NEW_NETWORK = 0x40000000
"""CLONE_NEWNET of linux/sched.h."""

LARGEST = 6000
"""Characters of a file that is mutated: in a larger one most mutants are alike."""

HOST = re.compile(
    "Interface does not exist|does not exist|Could not resolve|Group|File not found|BUG:"
    "|Could not open|assertion|Assertion|connlabel|flowtable|parse packet mark|status -"
)
"""What the tool says where only this host lacks something, or it fails itself."""

NFT = Language(
    re.compile(r"\s+|#[^\n]*|\"[^\"\n]*\"|[\w./:*-]+(?<!,)|[<>=!]=|<<|>>|."),
    (
        ("prerouting", "input", "forward", "output", "postrouting", "ingress", "egress"),
        ("ip", "ip6", "inet", "arp", "bridge", "netdev"),
        ("filter", "nat", "route"),
        ("filter", "raw", "mangle", "dstnat", "srcnat", "security", "out", "0", "-300", "-200"),
        ("set", "map", "chain", "counter", "quota", "limit", "flowtable", "table"),
        ("ipv4_addr", "ipv6_addr", "inet_service", "inet_proto", "ifname", "mark", "ether_addr"),
        ("interval", "timeout", "constant", "dynamic"),
        ("tcp", "udp", "icmp", "icmpv6", "sctp", "dccp", "th", "udplite", "esp", "ah"),
        ("saddr", "daddr", "sport", "dport", "type", "code", "protocol", "length", "ttl"),
        ("accept", "drop", "return", "continue", "reject", "masquerade", "notrack"),
        ("dnat", "snat", "redirect", "masquerade", "tproxy"),
        ("jump", "goto"),
        ("state", "status", "mark", "direction", "helper", "zone", "label", "expiration"),
        ("iifname", "oifname", "iif", "oif", "mark", "skuid", "l4proto", "nfproto", "pkttype"),
        ("new", "established", "related", "invalid", "untracked", "syn", "ack", "snat"),
        ("add", "delete", "insert", "replace", "flush", "create", "destroy", "list", "rename"),
        ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug", "audit", "warning"),
        ("second", "minute", "hour", "day", "week"),
    ),
)


@dataclass(slots=True)
class Tally:
    """``passed``: the tool refuses it and we do not; ``false``: the other way round."""

    refused: int = 0
    taken: int = 0
    of_host: int = 0
    passed: list[tuple[Mutant, str]] = field(default_factory=list)
    false: list[tuple[Mutant, Load]] = field(default_factory=list)

    def __str__(self) -> str:
        share = 100 * len(self.passed) / max(1, self.refused)
        wrong = 100 * len(self.false) / max(1, self.taken)
        return (
            f"refused by nft {self.refused}, of these passed here {len(self.passed)} "
            f"({share:.2f} %); taken by nft {self.taken}, of these refused here "
            f"{len(self.false)} ({wrong:.2f} %); for want of something on the host {self.of_host}"
        )


def put(path: Path) -> str | None:
    """What nft says where it refuses the file, in a network with nothing in it; None where it
    takes it."""
    command = ["nft", "-f", os.fspath(path)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        preexec_fn=_alone,
        timeout=30,
        cwd=path.parent,
    )
    return None if done.returncode == 0 else done.stderr or f"status {done.returncode}"


def _alone() -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(_NEW_NETWORK):
        raise OSError(ctypes.get_errno(), "unshare")


def _wants_module(said: str, mutant: Mutant) -> bool:
    """Bridges track connections and reject packets by modules that not every kernel has."""
    bridge = "bridge" in mutant.text
    return bridge and bool(_OF_BRIDGE.search(said))


_OF_BRIDGE = re.compile(
    r"Could not process rule: (?:Protocol error|No such file)[^\n]*\n.*(ct |reject)"
)


_TARGET = target_of("nft=1.0.6,kernel=6.18")
"""What the tests are run with; others differ in what they have not yet."""


def judged(text: str) -> Load:
    source = SourceFile("mutant.nft", text)
    answer = load(read(source, Reader(files=NoFiles())), target=_TARGET)
    return answer if answer is not None else Load(source, "nft -f")


def judge(texts: Iterable[str], count: int, random: Random) -> Tally:
    """``count`` mutants of each text."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "mutant.nft")
        for text in texts:
            for mutant in mutants(text, NFT, random, count):
                _one(mutant, path, tally)
    return tally


def _one(mutant: Mutant, path: Path, tally: Tally) -> None:
    path.write_text(mutant.text, "utf-8", "surrogateescape")
    said = put(path)
    answer = judged(mutant.text)
    if said is None:
        tally.taken += 1
        if not answer.taken:
            tally.false.append((mutant, answer))
    elif HOST.search(said) or _wants_module(said, mutant):
        tally.of_host += 1
    else:
        tally.refused += 1
        if answer.taken:
            tally.passed.append((mutant, said))


def readable(paths: Sequence[Path]) -> Iterator[str]:
    """The files that nft takes here and that lead to no other."""
    for path in paths:
        text = path.read_text("utf-8", "surrogateescape")
        if len(text) <= LARGEST and "include" not in text and put(path) is None:
            yield text


def main(arguments: Sequence[str]) -> None:
    total, seed, *files = arguments
    random = Random(seed)
    paths = [Path(file) for file in files]
    random.shuffle(paths)
    texts = list(readable(paths[: int(total)]))
    tally = judge(texts, max(1, round(int(total) / max(1, len(texts)))), random)
    sys.stdout.write("\n\n".join((str(tally), *_differences(tally))) + "\n")


def _differences(tally: Tally) -> Iterator[str]:
    for mutant, said in tally.passed:
        yield f"PASSED {mutant.kind} {mutant.of!r}\n{said}"
    for mutant, answer in tally.false:
        first = answer.refusals[0]
        line = first.span.source.line_text(first.span.line)
        yield f"FALSE {mutant.kind} {mutant.of!r}\n{first.span.line}: {line}\n{first.cause}"


if __name__ == "__main__":
    main(sys.argv[1:])
