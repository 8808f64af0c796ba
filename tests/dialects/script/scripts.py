"""Random firewall scripts of which everything is known, so that they can really be run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

CHAINS = ("INPUT", "FORWARD", "OUTPUT", "WEB", "LAN", "OLD")
TESTS = (
    "-p tcp --dport 22",
    "-p tcp -m multiport --dports 80,443",
    "-s 192.0.2.0/24",
    "! -s 198.51.100.7",
    "-i eth0",
    "-p udp --sport 53",
    "-m conntrack --ctstate ESTABLISHED,RELATED",
    "-s 192.0.2.1,203.0.113.9",
    '-m comment --comment "let in"',
    "",
)
TARGETS = ("ACCEPT", "DROP", "RETURN", "LOG", "WEB", "LAN", "REJECT")


class Writer:
    """Writes one script. ``tool`` is iptables or ip6tables."""

    def __init__(self, seed: int, tool: str = "iptables") -> None:
        self.random = Random(seed)
        self.tool = tool
        self.made = 0
        # A list of addresses is several rules to the kernel: numbers do not go with it.
        self.lists = seed % 3 == 0

    def script(self) -> str:
        lines = ["#!/bin/sh", f"IPT={self.tool}", "$IPT -N WEB"]
        if self.random.random() < 0.7:
            lines.append("$IPT -N LAN")
        for _ in range(self.random.randint(4, 30)):
            lines += self.statement()
        return "\n".join(lines) + "\n"

    def statement(self, depth: int = 0) -> list[str]:
        plain = depth > 2 or self.random.random() < 0.6
        return [self.command()] if plain else [*self.random.choice(BLOCKS)(self, depth)]

    def block(self, depth: int) -> list[str]:
        count = self.random.randint(1, 3)
        return [line for _ in range(count) for line in self.statement(depth + 1)]

    # -- commands -------------------------------------------------------------

    def chain(self) -> str:
        return self.random.choice(CHAINS)

    def rule(self, *, lists: bool = True) -> str:
        """``lists``: of addresses too, which -I puts in the other way round."""
        plain = [test for test in TESTS if ".1," not in test]
        test = self.random.choice(TESTS if lists and self.lists else plain)
        if self.tool == "ip6tables":
            test = test.replace("192.0.2.0/24", "2001:db8::/32").replace("198.51.100.7", "::1")
            test = test.replace("192.0.2.1,203.0.113.9", "2001:db8::1,2001:db8::2")
        return f"{test} -j {self.random.choice(TARGETS)}"

    def command(self) -> str:
        kind = self.random.choices(
            ("-A", "-I", "-In", "-D", "-Dn", "-R", "-N", "-X", "-F", "-P", "-E", "-Z"),
            (30, 8, 0, 6, 0, 0, 3, 3, 2, 4, 2, 1)
            if self.lists
            else (30, 8, 8, 6, 6, 5, 3, 3, 2, 4, 2, 1),
        )[0]
        chain, number = self.chain(), self.random.randint(1, 5)
        form = {
            "-A": f"-A {chain} {self.rule()}",
            "-I": f"-I {chain} {self.rule(lists=False)}",
            "-In": f"-I {chain} {number} {self.rule(lists=False)}",
            "-D": f"-D {chain} {self.rule()}",
            "-Dn": f"-D {chain} {number}",
            "-R": f"-R {chain} {number} {self.rule(lists=False)}",
            "-N": f"-N {self.random.choice(CHAINS[3:])}",
            "-X": f"-X {self.random.choice(CHAINS[3:])}",
            "-F": f"-F {chain}" if self.random.random() < 0.7 else "-F",
            "-P": f"-P {self.random.choice(CHAINS[:3])} {self.random.choice(('ACCEPT', 'DROP'))}",
            "-E": "-E LAN OLD" if self.random.random() < 0.5 else "-E OLD LAN",
            "-Z": "-Z",
        }[kind]
        return f"$IPT {form}"

    def name(self) -> str:
        self.made += 1
        return f"v{self.made}"


def _loop(writer: Writer, depth: int) -> Iterator[str]:
    name = writer.name()
    ports = writer.random.sample(("22", "25", "80", "443", "8080"), 3)
    yield f"for {name} in {' '.join(ports)}; do"
    yield f"  $IPT -A {writer.chain()} -p tcp --dport ${name} -j ACCEPT"
    yield from writer.block(depth)
    yield "done"


def _once(writer: Writer, _: int) -> Iterator[str]:
    rule = f"{writer.chain()} {writer.rule()}"
    yield f"$IPT -C {rule} 2>/dev/null || $IPT -A {rule}"


def _missing(writer: Writer, depth: int) -> Iterator[str]:
    yield f"if ! $IPT -C {writer.chain()} {writer.rule()} 2>/dev/null; then"
    yield from writer.block(depth)
    yield "else"
    yield from writer.block(depth)
    yield "fi"


def _fresh_chain(writer: Writer, _: int) -> Iterator[str]:
    chain = writer.random.choice(CHAINS[3:])
    yield f"$IPT -N {chain} 2>/dev/null || $IPT -F {chain}"


def _function(writer: Writer, depth: int) -> Iterator[str]:
    name = writer.name()
    yield f"{name}() {{"
    yield '  $IPT -A "$1" -p tcp --dport ${2:-99} -j "${3-DROP}"'
    yield from writer.block(depth)
    yield "}"
    yield f"{name} INPUT 22 ACCEPT"
    yield f"{name} OUTPUT"


def _case(writer: Writer, depth: int) -> Iterator[str]:
    word = writer.random.choice(("lan", "wan", "both"))
    yield f"where={word}"
    yield 'case "$where" in'
    yield "  lan|w*)"
    yield from writer.block(depth)
    yield "  ;;"
    yield "  *) "
    yield from writer.block(depth)
    yield "  ;;"
    yield "esac"


def _test(writer: Writer, depth: int) -> Iterator[str]:
    name = writer.name()
    yield f"{name}={writer.random.choice(('yes', 'no'))}"
    yield f'if [ "${name}" = yes ]; then'
    yield from writer.block(depth)
    yield "fi"


def _restore(writer: Writer, _: int) -> Iterator[str]:
    keep = writer.random.random() < 0.6
    yield f"port={writer.random.randint(1000, 2000)}"
    yield f"$IPT-restore {'--noflush' if keep else ''} <<EOF"
    yield "*filter"
    if not keep:
        yield from (f":{chain} ACCEPT [0:0]" for chain in CHAINS[:3])
    yield ":WEB - [0:0]"
    yield "-A INPUT -p tcp --dport $port -j WEB"
    yield "-A WEB -j RETURN"
    yield "COMMIT"
    yield "EOF"


def _lines(writer: Writer, _: int) -> Iterator[str]:
    yield "while read -r port target; do"
    yield f"  $IPT -A {writer.chain()} -p udp --dport $port -j $target"
    yield "done <<EOF"
    yield "53 ACCEPT"
    yield "123 DROP"
    yield "EOF"


BLOCKS: tuple[Callable[[Writer, int], Iterator[str]], ...] = (
    _loop,
    _once,
    _missing,
    _fresh_chain,
    _function,
    _case,
    _test,
    _restore,
    _lines,
)
