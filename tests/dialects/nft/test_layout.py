"""nft laid out as a listing is, and nothing of it changed but blanks and ends of lines."""

from __future__ import annotations

import random

import pytest

from iptlint.convert.formatting import formatted
from iptlint.dialects import Reader
from iptlint.dialects.files import NoFiles
from iptlint.source import SourceFile

WRITTEN = """\
#!/usr/sbin/nft -f
flush   ruleset
define wan=eth0
define ports = { 22,
   80, # web
   443 }
include   "/etc/nftables.d/*.nft"


table inet filter {
  # who may come in
  set allowed { type ipv4_addr ; flags interval;
    elements = { 10.0.0.0/8,
       192.168.0.0/16 # office
    } }
  chain input { type filter hook input priority 0 ; policy drop ;
    ct state established , related   accept   # answers
    iifname $wan tcp dport   $ports \\
        counter accept; tcp dport!=25 drop comment "no  { mail"


    # the rest
    tcp dport vmap { 22 : jump ssh , 80 : accept }
    meta mark set meta mark<<8
    jump {
      ip saddr 10.0.0.1 accept
    }
  }
  chain ssh {
  }
}
"""
LAID_OUT = """\
#!/usr/sbin/nft -f
flush ruleset
define wan = eth0
define ports = { 22,
\t80, # web
\t443 }
include "/etc/nftables.d/*.nft"

table inet filter {
\t# who may come in
\tset allowed {
\t\ttype ipv4_addr
\t\tflags interval
\t\telements = { 10.0.0.0/8,
\t\t\t     192.168.0.0/16 # office
\t\t}
\t}

\tchain input {
\t\ttype filter hook input priority 0; policy drop;
\t\tct state established,related accept # answers
\t\tiifname $wan tcp dport $ports counter accept
\t\ttcp dport != 25 drop comment "no  { mail"

\t\t# the rest
\t\ttcp dport vmap { 22 : jump ssh, 80 : accept }
\t\tmeta mark set meta mark << 8
\t\tjump {
\t\t\tip saddr 10.0.0.1 accept
\t\t}
\t}

\tchain ssh {
\t}
}
"""
READER = Reader(files=NoFiles())


def laid_out(text: str) -> str:
    done = formatted(SourceFile("x.nft", text), READER)
    assert not done.refused
    return done.new.text


def test_a_file_of_all_sorts() -> None:
    assert laid_out(WRITTEN) == LAID_OUT


def test_it_is_done_once() -> None:
    assert laid_out(LAID_OUT) == LAID_OUT


BLANKS = (" ", "  ", "\t", " \\\n ")


@pytest.mark.parametrize("seed", range(20))
def test_blanks_make_no_difference(seed: int) -> None:
    """Between two words of a line there may be any."""
    drawn = random.Random(seed)
    lines = [
        line if "#" in line or '"' in line else _spread(line, drawn)
        for line in LAID_OUT.splitlines()
    ]
    assert laid_out("\n".join(lines) + "\n") == LAID_OUT


def _spread(line: str, drawn: random.Random) -> str:
    indent = line[: len(line) - len(line.lstrip("\t"))]
    return indent + drawn.choice(BLANKS[:3]).join(line[len(indent) :].split(" "))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("table t {\n", "line 1 cannot be read"),
        ("#!/bin/sh\nnft add table t\n", "a script is left as it is"),
        ("table ip t {\r\n}\r\n", "line 1 cannot be read"),
        ('{"nftables": []}', "only nft and iptables-save have a layout"),
    ],
)
def test_what_is_left_as_it_is(text: str, why: str) -> None:
    done = formatted(SourceFile("x", text), READER)
    assert why in done.refused
    assert not done.changed
