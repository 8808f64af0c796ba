"""An interface that the file wants may not be there when the rules are loaded.

## What it does
Finds tests with `iif` and `oif`, which nft turns into the number of the interface while it
loads the file. Tests of `lo`, which always is number 1, are fine. One finding for each
interface and file; a warning for interfaces that come and go (ppp, tunnels, bridges of
containers), a note for network cards. Finds flowtables and chains of ingress and egress on
devices that come and go, too.

## Why it matters
If the interface is missing at boot, nft refuses the whole file, and the host starts without a
firewall. If it goes and comes back later, it has another number, which the rule does not
know. For a chain of ingress or egress Linux 6.18 waits until the device comes, and takes it then;
6.12 and those before, which is what most hosts run, refuse the file.

## Example
```
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        iif "lo" accept
        iif "ppp0" tcp dport 443 accept
    }
}
```

## Fix
Write `iifname` and `oifname`, which compare names when packets come: `iifname "ppp0" tcp dport
443 accept`. What needs a device itself goes into a file of its own, which is loaded when the device
comes, so that the others are loaded without it.

## When it is wrong
Where the rules are loaded by what brings the interface up, and each time anew. By number is a
little faster. Chains and tables that software writes (libvirt) are left out.

## References
- nft(8), "META EXPRESSIONS" (iif, iifname): https://www.netfilter.org/projects/nftables/manpage.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.findings.fix import Fix
from iptlint.findings.phrases import MAX_LABELS, counted
from iptlint.model import AnyOf, Interface, Match, Opaque, Rule, Ruleset
from iptlint.model.kinds import rules_testing
from iptlint.model.matches import InterfaceNumber
from iptlint.model.names import comes_and_goes
from iptlint.model.ownership import is_generated
from iptlint.model.syntax import Syntax
from iptlint.packets.describe.lists import listed
from iptlint.rules.meta import Group, Meta
from iptlint.source import Edit, SourceFile, Span

META = Meta(
    code="IPT905",
    name="iif-by-index",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.HYGIENE,
    since="0.1.0",
    fixable=True,
)

_FIXED = (0, 1)
"""No interface, and ``lo``."""
_SHOWN = 100
_NAMED = 5

_Kind = tuple[SourceFile, str, bool, bool]
"""The file, the number that is compared with, whether the interfaces come and go, and whether the
text can be written with names."""


class Test(NamedTuple):
    """A test of an interface by its number, as it is written."""

    name: str
    span: Span


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        if ruleset.is_nft:
            for tests in _alike(ruleset).values():
                yield _finding(tests, ruleset.syntax)
            for wanted in _wanted(ruleset):
                yield _of_devices(wanted)


class Wanted(NamedTuple):
    """Devices that come and go, and what is to be on them."""

    what: str
    span: Span
    devices: tuple[str, ...]


def _wanted(ruleset: Ruleset) -> Iterator[Wanted]:
    for table in ruleset.tables:
        for chain in table.base_chains():
            passing = tuple(filter(comes_and_goes, chain.devices))
            if passing and chain.origin is not None and not is_generated(table, chain.name):
                yield Wanted(f"the chain {chain.name}", chain.origin.span, passing)
        made = table.chains and all(is_generated(table, name) for name in table.chains)
        for named in () if made else table.sets:
            passing = tuple(filter(comes_and_goes, named.devices))
            if passing:
                yield Wanted(f"the flowtable {named.name}", named.origin.span, passing)


def _of_devices(wanted: Wanted) -> Finding:
    names = listed(_few(wanted.devices))
    missing = "one of them" if len(wanted.devices) > 1 else names
    return META.finding(
        wanted.span,
        f"{wanted.what} is on {names}: if {missing} is not there when the file is loaded, Linux "
        "6.12 and those before refuse the whole file",
        "put it into a file of its own, which what makes the device loads",
        confidence=Confidence.POSSIBLE,
        likeness="devices",
    )


def _alike(ruleset: Ruleset) -> dict[_Kind, list[Test]]:
    """A place and interface once."""
    alike: dict[_Kind, dict[Test, None]] = {}
    by_index = (
        (table, chain, rule)
        for table in ruleset.tables
        for chain, rule in rules_testing(table, _asks_by_index)
    )
    for table, chain, rule in by_index:
        for test in () if is_generated(table, chain.name) else _tests(rule, ruleset.syntax):
            number = test.name if test.name.isdecimal() else ""
            mendable = bool(ruleset.syntax.by_name(test.span))
            key = test.span.source, number, comes_and_goes(test.name), mendable
            alike.setdefault(key, {}).setdefault(test)
    return {key: list(tests) for key, tests in alike.items()}


def _asks_by_index(rule: Rule) -> bool:
    return any(name for match in rule.matches for name in _names(match))


def _tests(rule: Rule, syntax: Syntax) -> Iterator[Test]:
    """Without those whose interface a template names later."""
    for number, match in enumerate(rule.matches):
        for name in _names(match):
            span = rule.origin.part(number)
            written = syntax.find_name(span, name)
            if written is None or not syntax.is_placeholder(written):
                yield Test(name, span)


def _names(match: Match) -> Iterator[str]:
    match match:
        case Interface(name=name, by_index=True) if name != "lo":
            yield name
        case Opaque(asks=InterfaceNumber(number)) if number not in _FIXED:
            yield str(number)
        case AnyOf(alternatives):
            for alternative in alternatives:
                for test in alternative:
                    yield from _names(test)


def _finding(tests: Sequence[Test], syntax: Syntax) -> Finding:
    first = tests[0]
    places = list(dict.fromkeys(test.span for test in tests))
    labels = [Label(span, "likewise") for span in places[1 : 1 + MAX_LABELS]]
    if len(places) - 1 > len(labels):
        labels[-1] = Label(labels[-1].span, f"likewise … and {len(places) - 1 - MAX_LABELS} more")
    passing = comes_and_goes(first.name) or first.name.isdecimal()
    return META.finding(
        first.span,
        _message(list(dict.fromkeys(test.name for test in tests)), len(places)),
        _advice(first, syntax),
        related=tuple(labels),
        severity=None if passing else Severity.INFO,
        fix=_fix(tests, syntax),
    )


def _fix(tests: Sequence[Test], syntax: Syntax) -> Fix | None:
    named = {test.span: syntax.by_name(test.span) for test in tests}
    edits = tuple(Edit(span, text) for span, text in named.items() if text)
    written = ", ".join(dict.fromkeys(edit.text for edit in edits))
    return Fix(f"compare names: {written}", edits) if len(edits) == len(named) else None


def _message(names: Sequence[str], number: int) -> str:
    these = "this test" if number == 1 else f"these {counted(number, 'test')}"
    verbs = ("compares", "means") if number == 1 else ("compare", "mean")
    if names[0].isdecimal():
        return (
            f"{these} {verbs[0]} with the number {names[0]}: nft lists a number where the"
            " interface with that number is gone, and whichever interface gets it next is the one"
            f" that {these} {verbs[1]}"
        )
    if len(names) > 1:
        return (
            f"nft looks up the numbers of {listed(_few(names))} when it loads {these}: if one of"
            " them is not there then, the whole file is refused; if one is made anew later, it has"
            f" another number, and {these} no longer {verbs[1]} it"
        )
    return (
        f"nft looks up the number of {names[0]} when it loads {these}: if {names[0]} is not there"
        f" then, the whole file is refused; if it is made anew later, it has another number, and"
        f" {these} no longer {verbs[1]} it"
    )


def _few(names: Sequence[str]) -> Sequence[str]:
    return names if len(names) <= _NAMED else [*names[:_NAMED], f"{len(names) - _NAMED} more"]


def _advice(test: Test, syntax: Syntax) -> str:
    if test.name.isdecimal():
        return 'name the interface, as in: iifname "eth0"'
    by_name = syntax.by_name(test.span)
    if by_name is None:
        return "compare names: iifname for iif, with a set of the type ifname"
    if not by_name or len(by_name) > _SHOWN:
        return "compare names: iifname for iif, oifname for oif"
    return f"compare names: {by_name}"
