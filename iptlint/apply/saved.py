"""What the kernel has before rules are applied, and how all of it comes back.

Each part is put back by the tool that wrote it down. Tables of iptables-nft are
iptables-restore's, as nft prints some of their tests in no language that it reads. What nft prints
of the others is put in their place by one transaction. Sets of ipset are swapped, because rules
may use them all the while.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from iptlint.apply.tools import is_by_nft, restore_argv, run

FAMILIES = {"iptables": "ip", "ip6tables": "ip6"}
_TABLE = re.compile(rb"(?ms)^\*(\w+)\n.*?^COMMIT\n")
_NFT_TABLE = re.compile(r"(?ms)^table (\w+) (\S+) \{.*?^\}\n")
_NFT_CHAIN = re.compile(r"(?m)^\tchain (\S+) \{")
_OWNED = re.compile(r"(?m)^\tflags [\w,]*\bowner\b")
"""Such a table is its process's, and nobody else may delete it (nf_tables_api.c)."""
_COUNTERS = re.compile(
    r"packets \d+ bytes \d+|expires \w+|^:(\S+ \S+) \[\d+:\d+\]|^\[\d+:\d+\] ", re.MULTILINE
)
_BUILT_IN = {
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "raw": ("PREROUTING", "OUTPUT"),
    "security": ("INPUT", "FORWARD", "OUTPUT"),
}


class NotSavedError(Exception):
    """What the kernel has could not be written down; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class Saved:
    """``iptables``: by tool and table, what its save command printed. ``nft``: the tables that are
    none of iptables', as nft prints them, in their order. ``chains``: of the tables that are, the
    chains that there are: iptables-save prints all that there may be. ``sets``: what `ipset save`
    printed, by set and in its order. ``whole``: it is all that there was; else the parts that were
    changed since, and what is new since is empty."""

    iptables: Mapping[str, Mapping[str, str]]
    nft: Mapping[str, str]
    chains: Mapping[str, Sequence[str]]
    sets: Mapping[str, str]
    whole: bool = True

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def of_json(cls, text: str) -> Saved:
        return cls(**json.loads(text))


def save() -> Saved:
    """All that this host has; NotSavedError where a tool fails that is there."""
    iptables = {tool: _tables_of(tool) for tool in FAMILIES}
    by_nft = {
        f"{family} {table}"
        for tool, family in FAMILIES.items()
        if iptables[tool] and is_by_nft(tool)
        for table in iptables[tool]
    }
    listing = _printed(("nft", "list", "ruleset"))
    tables = {f"{match[1]} {match[2]}": match[0] for match in _NFT_TABLE.finditer(listing)}
    nft = {
        name: text
        for name, text in tables.items()
        if name not in by_nft and not _OWNED.search(text)
    }
    chains = {name: _NFT_CHAIN.findall(tables[name]) for name in tables if name in by_nft}
    return Saved(iptables, nft, chains, dict(_sets(_printed(("ipset", "save")))))


def _tables_of(tool: str) -> dict[str, str]:
    text = _printed((f"{tool}-save", "-c")).encode("utf-8", "surrogateescape")
    tables = ((match[1].decode(), match[0]) for match in _TABLE.finditer(text))
    return {name: block.decode("utf-8", "surrogateescape") for name, block in tables}


def _printed(argv: tuple[str, ...]) -> str:
    """Nothing where the tool is not there: then nobody has made rules by it."""
    ran = run(argv)
    if ran.worked or (ran.status is None and "not installed" in ran.said):
        return ran.printed.decode("utf-8", "surrogateescape")
    if argv[0] == "ipset" or "Protocol not supported" in ran.said:  # the kernel has none
        return ""
    raise NotSavedError(f"{' '.join(argv)} fails, so nothing could be taken back: {ran.said}")


def _sets(text: str) -> Iterator[tuple[str, str]]:
    lines: dict[str, list[str]] = {}
    for line in text.splitlines(keepends=True):
        words = line.split(" ", 2)
        if len(words) > 1:
            lines.setdefault(words[1].rstrip("\n"), []).append(line)
    yield from ((name, "".join(each)) for name, each in lines.items())


def differing(before: Saved, now: Saved) -> Saved:
    """The parts of ``before`` that are others now, or gone, and what is new now."""
    iptables = {
        tool: _changed(before.iptables.get(tool, {}), now.iptables.get(tool, {}))
        for tool in FAMILIES
    }
    nft, sets = _changed(before.nft, now.nft), _changed(before.sets, now.sets)
    return Saved(iptables, nft, before.chains, sets, whole=False)


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    return {
        name: before.get(name, "")
        for name in (*before, *(name for name in now if name not in before))
        if _bare(before.get(name, "")) != _bare(now.get(name, ""))
    }


def _bare(text: str) -> str:
    """Without what counts and runs out by itself."""
    return _COUNTERS.sub(r"\1", text)


def put_back(before: Saved) -> list[str]:
    """Makes the kernel have these again, an empty part not at all; a sentence for what fails."""
    try:
        parts = differing(before, save()) if before.whole else before
    except NotSavedError:
        parts = before
    complaints = [*_sets_back(parts.sets)]
    for tool, tables in parts.iptables.items():
        complaints += _iptables_back(tool, tables)
    complaints += _nft_back(parts)
    complaints += _sets_gone(parts.sets)
    return complaints


def _iptables_back(tool: str, tables: Mapping[str, str]) -> Iterator[str]:
    text = "".join(tables[name] or _empty(name) for name in tables)
    if text:
        ran = run(restore_argv(tool, "-c"), text.encode("utf-8", "surrogateescape"))
        if not ran.worked:
            yield f"{tool}-restore fails: {ran.said}"


def _empty(table: str) -> str:
    chains = "".join(f":{chain} ACCEPT [0:0]\n" for chain in _BUILT_IN.get(table, ()))
    return f"*{table}\n{chains}COMMIT\n"


def _nft_back(parts: Saved) -> Iterator[str]:
    """In one transaction, so that no packet meets half of it. Declaring a table before it is
    deleted keeps nft from failing where it is gone."""
    text = "".join(f"table {name}\ndelete table {name}\n" for name in parts.nft)
    text += "".join((*parts.nft.values(), *_left_by_iptables(parts)))
    if text:
        ran = run(("nft", "-f", "-"), text.encode("utf-8", "surrogateescape"))
        if not ran.worked:
            yield f"nft -f fails: {ran.said}"


def _left_by_iptables(parts: Saved) -> Iterator[str]:
    """Commands that delete what iptables-nft-restore leaves and was not there: tables, chains."""
    for tool, tables in parts.iptables.items():
        if not tables or not is_by_nft(tool):
            continue
        for table, text in tables.items():
            name = f"{FAMILIES[tool]} {table}"
            if not text:
                yield f"delete table {name}\n"
            elif name in parts.chains:
                there = parts.chains[name]
                yield from (
                    f"delete chain {name} {chain}\n"
                    for chain in _BUILT_IN.get(table, ())
                    if chain not in there
                )


def _sets_back(sets: Mapping[str, str]) -> Iterator[str]:
    for number, (name, text) in enumerate(sets.items()):
        if text:
            swapped = "".join(_swapped(name, text, f"iptlint-{number}"))
            ran = run(("ipset", "-exist", "restore"), swapped.encode("utf-8", "surrogateescape"))
            if not ran.worked:
                yield f"ipset restore fails for {name}: {ran.said}"


def _swapped(name: str, text: str, beside: str) -> Iterable[str]:
    """The commands that fill a set beside it, and change places with it."""
    create, *entries = text.splitlines(keepends=True)
    yield create
    yield create.replace(f"create {name} ", f"create {beside} ", 1)
    yield f"flush {beside}\n"
    yield from (entry.replace(f"add {name} ", f"add {beside} ", 1) for entry in entries)
    yield f"swap {beside} {name}\ndestroy {beside}\n"


def _sets_gone(sets: Mapping[str, str]) -> Iterator[str]:
    """The latest first: a list of sets goes before the sets that are in it."""
    for name in reversed([name for name, text in sets.items() if not text]):
        ran = run(("ipset", "destroy", name))
        if not ran.worked and "does not exist" not in ran.said:
            yield f"ipset destroy {name} fails: {ran.said}"
