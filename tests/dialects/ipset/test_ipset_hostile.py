"""No text ends in a traceback, and none takes long."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import iptlint
from iptlint.dialects.decode import decode
from iptlint.linter.run import lint
from iptlint.source import SourceFile

FIXTURES = sorted((Path(__file__).parent / "fixtures").iterdir())
KINDS = ("a", "b", "c", "d", "e", "f", "g", "h", "i", "l", "office", "macs", "marks", "links")
RULES = "*filter\n" + "".join(
    f"-A INPUT -m set --match-set {name} {','.join(['src', 'dst', 'src'][:n])} -j DROP\n"
    for name in KINDS
    for n in (1, 2, 3)
)


def linted(data: bytes) -> None:
    rules = SourceFile("rules.v4", RULES + "COMMIT\n")
    report = lint([rules], select=["IPT0", "IPT4"], ipsets=[decode("ipsets", data)])
    assert not report.crashed, [f.message for f in report.findings if f.code == "IPT009"]


@pytest.mark.parametrize("seed", range(40))
def test_bytes_at_random(seed: int) -> None:
    linted(random.Random(seed).randbytes(400))


@pytest.mark.parametrize("seed", range(120))
def test_sets_with_words_changed_at_random(seed: int) -> None:
    draw = random.Random(seed)
    text = draw.choice(FIXTURES).read_text()
    words = sorted({*text.split(), *",:-/[]\n\"'", "\0", "\ud800", "-1", "99999999999999999999"})
    for _ in range(draw.randrange(1, 15)):
        start = draw.randrange(len(text))
        text = text[:start] + draw.choice(words) + text[start + draw.randrange(4) :]
    linted(text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(
    "text",
    [
        "create a hash:ip\nadd a 1.0.0.0/1\n" + "del a 1.0.0.1\n" * 5000,
        "create a hash:ip timeout 0\n"
        + "".join(f"add a 10.{n >> 6}.{n & 63}.0/25\n" for n in range(6000)),
        "create a hash:net\nadd a 0.0.0.1-255.255.255.254\n" * 50,
        "create a hash:net family inet6\nadd a ::1-ffff::\nadd a ::/0\nadd a " + ":" * 5000,
        "create a hash:ip,port\nadd a 10.0.0.0/8,0-65535\ndel a 10.0.0.0/9,80\n",
        "create a list:set\nadd a a\nadd a a\nswap a a\nrename a a\n",
        'add a "' * 3000,
        '"' * 30001,
        "add a " + "[" * 20000,
        "create a hash:net,iface\n" + "add a 0.0.0.0/0,\n" * 10,
        "create a bitmap:ip range 0.0.0.0-0.0.255.255 netmask 32\nadd a 0.0.0.0/16\n",
    ],
    ids=range(11),
)
def test_hostile_text(text: str) -> None:
    linted(text.encode())


def test_thousands_of_exceptions_are_no_trouble() -> None:
    lines = [
        f"add a 10.{n >> 8}.{n & 255}.0/{24 + n % 9}{' nomatch' * (n % 3 == 0)}\n"
        for n in range(4000)
    ]
    sets = "create a hash:net\n" + "".join(lines)
    assert iptlint.lint(RULES + "COMMIT\n", ipsets=[sets], select=["IPT001"]) == []
