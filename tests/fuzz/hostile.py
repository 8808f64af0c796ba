"""Texts that somebody may write to keep the linter busy, by name: each of a part again and again.

``HOSTILE[name](n)`` has about n parts. Written to a folder, as long as you like:

    python -m tests.fuzz.hostile FOLDER 100000 [NAME …]
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random

Make = Callable[[int], str]

INPUT = "chain i {{ type filter hook input priority 0; policy drop;\n{}\n}}\n"

DROP = "-A INPUT -j DROP"


def address(number: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def _lines(count: int, line: str, before: str = "", after: str = "") -> str:
    return before + f"{line}\n" * count + after


def _nft(*parts: str) -> str:
    return "table ip t {\n" + "\n".join(parts) + "\n}\n"


def _chain(rules: Iterable[str]) -> str:
    return _nft(INPUT.format("\n".join(rules)))


def _listed(elements: Iterable[str]) -> str:
    return "{ " + ", ".join(elements) + " }"


def _restore(rules: Iterable[str]) -> str:
    return "\n".join(["*filter", ":INPUT DROP [0:0]", *rules, "COMMIT", ""])


def _nested_jumps(count: int) -> str:
    chains = [f":C{n} - [0:0]" for n in range(count + 1)]
    jumps = [f"-A C{n} -j C{n + 1}" for n in range(count) for _ in range(2)]
    return "\n".join(["*filter", *chains, "-A INPUT -j C0", *jumps, "COMMIT", ""])


def _nft_jumps(count: int) -> str:
    chains = (f"chain c{n} {{\njump c{n + 1}\njump c{n + 1}\n}}" for n in range(count))
    return _nft(INPUT.format("jump c0"), *chains, f"chain c{count} {{\n}}")


def _base_chains(count: int) -> str:
    """More than the 1024 that the kernel takes at a hook (MAX_HOOK_COUNT), where there are so
    many."""
    kind = "type filter hook input priority {n}; policy accept;"
    chain = f"chain c{{n}} {{{{ {kind} tcp dport {{n}} drop; }}}}"
    return _nft(*(chain.format(n=n) for n in range(count)))


def _tables(count: int) -> str:
    """Each with a chain at one hook, behind those of all others."""
    kind = "type filter hook input priority {n}; policy accept;"
    table = f"table ip t{{n}} {{{{ chain c {{{{ {kind} tcp dport {{n}} drop; }}}} }}}}"
    return "\n".join(table.format(n=n) for n in range(1, count + 1)) + "\n"


def _intervals(count: int) -> str:
    elements = _listed(
        f"{address(n * 999)}-{address(n * 999 + 900)} . {n % 60000 + 1}-{n % 60000 + 900}"
        for n in range(count)
    )
    typed = "type ipv4_addr . inet_service; flags interval;"
    named = f"set s {{ {typed}\nelements = {elements}\n}}"
    return _nft(named, INPUT.format("ip saddr . tcp dport @s accept"))


def _lists(count: int) -> str:
    """Rules of which each finds many of its fifty ports taken."""
    draw = Random(5)
    ports = (draw.sample(range(1, 4_000), 50) for _ in range(count))
    rules = (f"tcp dport {_listed(map(str, each))} accept" for each in ports)
    return _chain(["ct state invalid drop", *rules])


def _elements(count: int) -> str:
    elements = _listed(address(3 * n) for n in range(count))
    named = f"set s {{ type ipv4_addr;\nelements = {elements}\n}}"
    return _nft(named, INPUT.format("ip saddr @s accept"))


def _verdicts(count: int) -> str:
    elements = (f"{address(n)} : {'drop' if n % 2 else 'accept'}" for n in range(count))
    return _chain([f"ip saddr vmap {_listed(elements)}"])


def _overlapping(count: int) -> str:
    """Prefixes inside of each other and ranges of ports across each other, as in ClassBench."""
    draw = Random(3)
    rules = []
    for _ in range(count):
        low = draw.randrange(65000)
        ports = f"--dport {low}:{draw.randrange(low, 65536)}"
        ends = " ".join(
            f"{end} 10.{draw.randrange(4)}.{draw.randrange(256)}.0/{draw.choice((8, 14, 18, 22))}"
            for end in ("-s", "-d")
        )
        rules.append(f"-A INPUT {ends} -p tcp {ports} -j {draw.choice(('ACCEPT', 'DROP'))}")
    return _restore(rules)


def _names(count: int) -> Iterable[str]:
    """Each like all that are there, and none of them."""
    return (f"chein{n}" for n in range(count))


HOSTILE: dict[str, Make] = {
    "unknown_words.nft": lambda n: (
        "table ip t { chain c {\n" + "".join(f"wrd{i} foo bar\n" for i in range(n)) + "} }\n"
    ),
    "unknown_words.v4": lambda n: _restore(f"-A INPUT --wrd{i} foo" for i in range(n)),
    "unknown_extensions.v4": lambda n: _restore(f"-A INPUT -m wrd{i} -j DROP" for i in range(n)),
    "limits.v4": lambda n: _restore(
        f"-A INPUT -p tcp --dport {i % 65_535 + 1} -m limit --limit {i % 50 + 1}/sec -j ACCEPT"
        for i in range(n)
    ),
    "unknown_chains.v4": lambda n: _restore(
        [*(f":chain{i} - [0:0]" for i in range(n)), *(f"-A INPUT -j {c}" for c in _names(n))]
    ),
    "unknown_chains.sh": lambda n: "\n".join(
        [
            "#!/bin/sh",
            *(f"iptables -N chain{i}" for i in range(n)),
            *(f"iptables -A INPUT -j {c}" for c in _names(n)),
            "",
        ]
    ),
    "unknown_sets.nft": lambda n: _nft(
        *(f"set chain{i} {{ type ipv4_addr; }}" for i in range(n)),
        INPUT.format("\n".join(f"ip saddr @{c} drop" for c in _names(n))),
    ),
    "unknown_variables.nft": lambda n: (
        "".join(f"define chain{i} = 10.0.0.1\n" for i in range(n))
        + _chain(f"ip saddr ${c} drop" for c in _names(n))
    ),
    "bad_lines.nft": lambda n: _lines(n, "chain } x ;", "table ip t {\n", "}\n"),
    "open_lines.nft": lambda n: _lines(n, "ip saddr foo bar {", "table ip t { chain c {\n"),
    "no_command.nft": lambda n: _lines(n, "xyzzy plugh"),
    "open_quotes.nft": lambda n: _lines(n, 'log prefix "abc', "table ip t { chain c {\n"),
    "bad_elements.nft": lambda n: _lines(n, "ip saddr { 1.1.1.1, } }", "table ip t { chain c {\n"),
    "open_blocks.nft": lambda n: _lines(n, "table ip t { chain c {"),
    "closing.nft": lambda n: "table ip t { }\n" + "}" * n,
    "bad_lines.v4": lambda n: _lines(n, "-A INPUT --foo bar ! -j", "*filter\n", "COMMIT\n"),
    "no_table.v4": lambda n: _lines(n, "-A INPUT -j DROP"),
    "bad_lines.sh": lambda n: _lines(n, "iptables -A INPUT ( fi done", "#!/bin/sh\n"),
    "open_loops.sh": lambda n: _lines(n, "for i in 1 2; do", "#!/bin/sh\niptables -F\n"),
    "bad_lines.ipset": lambda n: _lines(n, "add s 1.2.3.4.5", "create s hash:ip\n"),
    "braces.nft": lambda n: "table ip t " + "{" * n,
    "closed_braces.nft": lambda n: "table ip t " + "{" * n + "}" * n,
    "brackets.nft": lambda n: _chain([f"meta mark {'(' * n}1{')' * n} drop"]),
    "braces.sh": lambda n: "#!/bin/sh\n" + "{ " * n + "iptables -F" + "; }" * n,
    "subshells.sh": lambda n: "#!/bin/sh\n" + "( " * n + "iptables -F" + " )" * n,
    "one_line.json": lambda n: json.dumps({"nftables": [{f"object{i}": {}} for i in range(n)]}),
    "brackets.json": lambda n: '{"nftables": ' + "[" * n,
    "objects.json": lambda n: '{"nftables": ' + '{"a":' * n + "1" + "}" * n + "}",
    "nul.v4": lambda n: "*filter\n-A INPUT -j DROP\n" + "\0" * n + "\nCOMMIT\n",
    "nul.nft": lambda n: "table ip t {\n" + "\0" * n + "\n}\n",
    "not_utf8.v4": lambda n: "*filter\n-A INPUT -j DROP\n" + "\udcff\udc80" * n + "\nCOMMIT\n",
    "not_utf8.nft": lambda n: "table ip t {\n" + "\udcff\udc80" * n + "\n}\n",
    "boms.nft": lambda n: "\ufeff" * n,
    "returns.v4": lambda n: "*filter" + "\r" * n,
    "crlf.v4": lambda n: _restore(["-A INPUT -j DROP\r"] * n),
    "crlf.nft": lambda n: _chain(["ip saddr 10.0.0.1 drop\r"] * n),
    "crlf.sh": lambda n: _lines(n, "iptables -A INPUT -j DROP\r", "#!/bin/sh\r\n"),
    "long_line.v4": lambda n: _restore([f"-A INPUT -m comment --comment {'x' * n}"]),
    "long_line.nft": lambda n: _chain([f"ip saddr {'x' * n} drop"]),
    "long_line.sh": lambda n: f"#!/bin/sh\niptables -A INPUT -s {'x' * n} -j DROP\n",
    "ports.v4": lambda n: _restore([f"-A INPUT -p tcp -m multiport --dports {'1,' * n}2"]),
    "subscripts.sh": lambda n: "#!/bin/sh\n" + "a[" * n + "\niptables -F\n",
    "many_words.sh": lambda n: f"#!/bin/sh\nfor i in {'1 ' * n}; do iptables -P INPUT DROP; done\n",
    "base_chains.nft": _base_chains,
    "tables.nft": _tables,
    "ignored_chain.v4": lambda n: _restore(["# iptlint: ignore-chain[IPT101]", DROP] * n),
    "ignored_chain.nft": lambda n: _chain(["# iptlint: ignore-chain[IPT101]", "drop"] * n),
    "ignored_chains.nft": lambda n: _nft(
        *(f"# iptlint: ignore-chain\nchain c{i} {{\n}}" for i in range(n))
    ),
    "chain_chain.nft": lambda n: "# iptlint: ignore-chain\n" + "chain " * n,
    "jumps.v4": _nested_jumps,
    "jumps.nft": _nft_jumps,
    "interfaces.v4": lambda n: _restore(f"-A INPUT -i if{i} -j ACCEPT" for i in range(n)),
    "interfaces.nft": lambda n: _chain(
        ["iifname " + _listed(map('"if{}"'.format, range(n))) + " drop"]
    ),
    "addresses.v4": lambda n: _restore(f"-A INPUT -s {address(i)} -j ACCEPT" for i in range(n)),
    "verdicts.nft": _verdicts,
    "lists.nft": _lists,
    "intervals.nft": _intervals,
    "overlapping.v4": _overlapping,
    "elements.nft": _elements,
    "elements.ipset": lambda n: "\n".join(
        ["create s hash:ip", *(f"add s {address(3 * i)}" for i in range(n)), ""]
    ),
}


def main() -> None:
    folder, size, *names = sys.argv[1:]
    for name in names or HOSTILE:
        data = HOSTILE[name](int(size)).encode("utf-8", "surrogateescape")
        (Path(folder) / name).write_bytes(data)


if __name__ == "__main__":
    main()
