"""Mutants: rulesets that the tools take, with one thing changed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tests.loads.iptables_seeds import Seed, all_words, words

Change = Callable[[list[str], int, random.Random, str], None]
"""Changes the lines in place, at the rule that the number says; the last is the family."""


@dataclass(frozen=True, slots=True)
class Mutant:
    seed: Seed
    kind: str
    text: str

    @property
    def changed(self) -> list[str]:
        """The lines that the seed does not have."""
        return [line for line in self.text.split("\n") if line not in self.seed.lines and line]


TABLES = ("filter", "nat", "mangle", "raw", "security")
CHAINS = ("INPUT", "FORWARD", "OUTPUT", "PREROUTING", "POSTROUTING")

VALUES = (
    *("0", "1", "2", "15", "16", "63", "64", "128", "255", "256", "65535", "65536", "70000"),
    *("4294967295", "4294967296", "18446744073709551616", "-1", "08", "0x10", "0xff/0xff"),
    *("1:2", "2:1", ":5", "5:", "1-2", "2-1", "1/2", "1,2", "1,,2", ",", ":", "/", "=", "x", ""),
    *("10.0.0.1", "10.0.0.0/8", "10.0.0.0/33", "10.0.0.1-10.0.0.9", "10.0.0.256", "10.0.0"),
    *("10.0.0.1:80", "10.0.0.1:80-90", "10.0.0.0/255.0.0.255", "0/0", "10.0.0.1,10.0.0.2"),
    *("fe80::1", "fe80::/10", "fe80::/129", "::1-::9", "[fe80::1]:80", "::ffff:10.0.0.1", "::"),
    *("eth0", "eth+", "averylongname0+x", "averylongname01", "+", "lo", "a/b", "eth0:1"),
    *("tcp", "udp", "icmp", "icmpv6", "ipv6-icmp", "sctp", "all", "esp", "ah", "41", "dccp"),
    *("ssh", "http", "domain", "nosuchservice", "echo-request", "8/0", "any", "256/0", "redirect"),
    *("SYN", "SYN,ACK", "ALL", "NONE", "FIN,SYN,RST,ACK", "NEW", "ESTABLISHED", "NEW,SNAT"),
    *("5/second", "5/min", "0/sec", "10000/sec", "100000/sec", "5/fortnight", "1000000/day"),
    *("00:11:22:33:44:55", "00:11:22:33:44", "src", "dst", "src,dst", "both", "root", "nobody1"),
    *("a" * 28, "a" * 29, "a" * 30, "a" * 32, "a" * 64, "a" * 128, "a" * 256, '"a b"'),
)


# -- a rule's words ------------------------------------------------------------


def _edit(change: Callable[[list[str], int, random.Random, str], None]) -> Change:
    """A change of a word of the rule, any but the command and its chain."""

    def changed(lines: list[str], at: int, chance: random.Random, family: str) -> None:
        rule = words(lines[at])
        if len(rule) > 2:
            change(rule, chance.randrange(2, len(rule)), chance, family)
        lines[at] = " ".join(rule)

    return changed


def _swapped(rule: list[str], at: int, chance: random.Random, _: str) -> None:
    other = chance.randrange(2, len(rule))
    rule[at], rule[other] = rule[other], rule[at]


def _dropped(rule: list[str], at: int, _chance: random.Random, _: str) -> None:
    del rule[at]


def _doubled(rule: list[str], at: int, _chance: random.Random, _: str) -> None:
    rule.insert(at, rule[at])


def _option_doubled(rule: list[str], at: int, _chance: random.Random, _: str) -> None:
    while at > 2 and not rule[at].startswith("-"):
        at -= 1
    rule[at:at] = rule[at : at + 2]


def _option_moved(rule: list[str], at: int, chance: random.Random, _: str) -> None:
    while at > 2 and not rule[at].startswith("-"):
        at -= 1
    pair = rule[at : at + 2]
    del rule[at : at + 2]
    to = chance.randrange(2, len(rule) + 1)
    rule[to:to] = pair


def _option_dropped(rule: list[str], at: int, _chance: random.Random, _: str) -> None:
    while at > 2 and not rule[at].startswith("-"):
        at -= 1
    del rule[at : at + 2]


def _replaced(rule: list[str], at: int, chance: random.Random, family: str) -> None:
    rule[at] = chance.choice(all_words(family))


def _inserted(rule: list[str], at: int, chance: random.Random, family: str) -> None:
    """Two words in a row of another rule: mostly an option and its argument."""
    known = all_words(family)
    place = chance.randrange(len(known) - 1)
    rule[at:at] = known[place : place + 2]


def _value(rule: list[str], at: int, chance: random.Random, _: str) -> None:
    values = [i for i in range(2, len(rule)) if not rule[i].startswith("-") and rule[i] != "!"]
    if values:
        rule[chance.choice(values)] = chance.choice(VALUES)


def _abbreviated(rule: list[str], at: int, chance: random.Random, _: str) -> None:
    options = [i for i in range(2, len(rule)) if rule[i].startswith("--") and len(rule[i]) > 4]
    if options:
        place = chance.choice(options)
        rule[place] = rule[place][: chance.randrange(3, len(rule[place]))]


def _negated(rule: list[str], at: int, chance: random.Random, _: str) -> None:
    if "!" in rule and chance.random() < 0.5:
        rule.remove("!")
        return
    options = [i for i in range(2, len(rule)) if rule[i].startswith("-")]
    rule.insert(chance.choice(options) if options else at, "!")


def _letter(rule: list[str], at: int, chance: random.Random, _: str) -> None:
    word = rule[at]
    place = chance.randrange(len(word))
    other = chance.choice("aA0159:/,.-+!_")
    rule[at] = chance.choice(
        (
            word[:place] + word[place + 1 :],
            word[:place] + other + word[place + 1 :],
            word[:place] + other + word[place:],
            word[: place + 1] + word[place:],
        )
    )


# -- where a rule stands -------------------------------------------------------


def _other_chain(lines: list[str], at: int, chance: random.Random, _: str) -> None:
    rule = words(lines[at])
    declared = [line[1:].split(" ")[0] for line in lines if line.startswith(":")]
    rule[1] = chance.choice((*CHAINS, *CHAINS, *declared))
    lines[at] = " ".join(rule)


def _other_table(lines: list[str], at: int, chance: random.Random, _: str) -> None:
    table, chain = chance.choice(TABLES), chance.choice(CHAINS)
    rule = words(lines.pop(at))
    rule[1] = chain
    lines += [f"*{table}", " ".join(rule), "COMMIT"]


def _head_changed(lines: list[str], _at: int, chance: random.Random, _: str) -> None:
    """A line that is no rule."""
    heads = [i for i, line in enumerate(lines) if line[:1] != "-"]
    place = chance.choice(heads)
    line = lines[place]
    rule = words(line)
    changes: list[Callable[[], None]] = [
        lambda: lines.pop(place) and None,
        lambda: lines.insert(place, line),
        lambda: lines.__setitem__(place, line[: chance.randrange(len(line))]),
        lambda: lines.__setitem__(place, line + chance.choice((" ", "x", " -j ACCEPT", "#"))),
        lambda: lines.insert(chance.randrange(len(lines)), lines.pop(place)),
    ]
    if line.startswith(":"):
        policy = chance.choice(("-", "ACCEPT", "DROP", "REJECT", "accept", "QUEUE", "x"))
        name = chance.choice((*CHAINS, "ACCEPT", "LOG", "a" * 28, "a" * 29, "a" * 33, "a.b", "-x"))
        changes += [
            lambda: lines.__setitem__(place, f"{rule[0]} {policy} [0:0]"),
            lambda: lines.__setitem__(place, f":{name} {' '.join(rule[1:])}"),
        ]
    if line.startswith("*"):
        table = chance.choice((*TABLES, "broute", "filterx", "FILTER"))
        changes += [lambda: lines.__setitem__(place, f"*{table}")] * 2
    chance.choice(changes)()


def _command_changed(lines: list[str], at: int, chance: random.Random, _: str) -> None:
    rule = words(lines[at])
    rule[0] = chance.choice(("-I", "-D", "-C", "-R", "-N", "-X", "-F", "-E", "-P", "-Z", "-L"))
    if chance.random() < 0.5:
        rule.insert(2, chance.choice(("0", "1", "2", "50", "ACCEPT", "DROP", "INPUT", "new")))
    lines[at] = " ".join(rule if chance.random() < 0.5 else rule[:3])


KINDS: dict[str, Change] = {
    "swapped": _edit(_swapped),
    "dropped": _edit(_dropped),
    "doubled": _edit(_doubled),
    "option-doubled": _edit(_option_doubled),
    "option-moved": _edit(_option_moved),
    "option-dropped": _edit(_option_dropped),
    "replaced": _edit(_replaced),
    "inserted": _edit(_inserted),
    "value": _edit(_value),
    "abbreviated": _edit(_abbreviated),
    "negated": _edit(_negated),
    "letter": _edit(_letter),
    "other-chain": _other_chain,
    "other-table": _other_table,
    "head": _head_changed,
    "command": _command_changed,
}


def mutants(seed: Seed, kinds: Sequence[str], chance: random.Random) -> Iterator[Mutant]:
    """One for each kind."""
    for kind in kinds:
        lines = list(seed.lines)
        rules = [i for i, line in enumerate(lines) if line.startswith("-A")]
        if not rules:
            return
        KINDS[kind](lines, chance.choice(rules), chance, seed.family)
        text = "\n".join(lines) + "\n"
        if text != "\n".join(seed.lines) + "\n":
            yield Mutant(seed, kind, text)
