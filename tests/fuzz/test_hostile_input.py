"""No input of any kind ends in a traceback, and none takes the linter down."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from iptlint.analysis.reach import reach
from iptlint.dialects.decode import decode
from iptlint.linter.report import Report
from iptlint.linter.run import lint

HOSTS = sorted((Path(__file__).parents[2] / "fixtures" / "hosts").glob("*/rules.v*"))


def linted(data: bytes) -> Report:
    from iptlint.dialects import read

    source = decode("rules.v4", data)
    list(reach(read(source).ruleset))
    report = lint([source])
    assert not report.crashed, [f.message for f in report.findings if f.code == "IPT009"]
    return report


def chain_of_calls(depth: int) -> str:
    chains = [f":C{n} - [0:0]" for n in range(depth)]
    calls = [f"-A C{n} -p tcp -j C{n + 1}" for n in range(depth - 1)]
    last = [f"-A C{depth - 1} -p tcp -j ACCEPT", f"-A C{depth - 1} -p tcp --dport 2 -j DROP"]
    lines = ["*filter", ":INPUT DROP [0:0]", *chains, "-A INPUT -j C0", *calls, *last, "COMMIT"]
    return "\n".join([*lines, ""])


def all_call_all(chains: int) -> str:
    names = [f"C{n}" for n in range(chains)]
    lines = [f"-A {one} -j {other}" for one in names for other in names]
    return "\n".join(["*filter", *(f":{n} -" for n in names), "-A INPUT -j C0", *lines, "COMMIT\n"])


def many_uninterpreted_tests(rules: int) -> str:
    lines = [
        f"-A INPUT -s 10.{n % 256}.0.0/16 -m string --string s{n} --algo bm -j DROP"
        for n in range(rules)
    ]
    return "\n".join(["*filter", *lines, "COMMIT\n"])


@pytest.mark.parametrize(
    "text",
    [
        chain_of_calls(2000),
        all_call_all(30),
        many_uninterpreted_tests(2000),
        '*filter\n-A INPUT -m comment --comment "never closed\n-A INPUT -j DROP\nCOMMIT\n',
        "*filter\n" + "-A INPUT " + "-s 1.2.3.4 " * 3000 + "-j DROP\nCOMMIT\n",
        "*filter\n-A INPUT -m comment --comment \x1b[31m\x07 -j DROP\nCOMMIT\n",
        "*\n:\n-A\n[0:0]\nCOMMIT\n" * 50,
        "*filter\n-A INPUT -s "
        + ",".join(f"10.0.{n}.1" for n in range(250))
        + " -j DROP\nCOMMIT\n",
    ],
    ids=range(8),
)
def test_hostile_text(text: str) -> None:
    linted(text.encode())


@pytest.mark.parametrize("seed", range(60))
def test_bytes_at_random(seed: int) -> None:
    linted(random.Random(seed).randbytes(400))


@pytest.mark.parametrize("seed", range(150))
def test_a_host_with_words_changed_at_random(seed: int) -> None:
    draw = random.Random(seed)
    text = draw.choice(HOSTS).read_text("utf-8")
    words = sorted(set(text.split()))
    for _ in range(draw.randrange(1, 12)):
        start = draw.randrange(len(text))
        text = (
            text[:start] + draw.choice([draw.choice(words), "\n", '"', "!", ""]) + text[start + 3 :]
        )
    linted(text.encode())
