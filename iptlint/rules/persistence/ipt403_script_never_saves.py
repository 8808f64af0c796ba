"""The rules that a script makes are gone after the next boot.

## What it does
Reports a script that leaves rules in the kernel, has no command that saves them
(`netfilter-persistent save`, `iptables-save > FILE`, `service iptables save`,
`nft list ruleset > FILE`), and of which nothing says that it is run at boot: no name such as
/etc/network/if-pre-up.d, rc.local or /etc/init.d, no header for init or chkconfig, no word of a
unit or of cron, no `start` and `stop` to be called with, no Dockerfile, compose file or unit beside
it that names it. One finding a script.

Where it saves the rules of IPv4 and not those of IPv6, or the other way round, it says so; and
where it saves only before it makes any, or where `iptables-save` has no file to write to: what it
prints, nobody keeps.

And a command that has the saved rules loaded (`systemctl restart iptables`) before the script has
saved those that it made.

## Why it matters
Rules live in the kernel's memory. After a reboot the host stands there without a firewall, and
nobody notices.

## Example
```
#!/bin/sh
iptables -P INPUT DROP
iptables -A INPUT -p tcp --dport 22 -j ACCEPT
```

## Fix
Save the rules at the end of the script, where something loads them at boot:
```
netfilter-persistent save
```
(`service iptables save` with iptables-services), or have a systemd unit run the script before
network-pre.target.

## When it is wrong
Where something runs the script at boot after all (a unit, cron's `@reboot`, a container that
starts with it): that cannot be seen in it.

## References
- iptables-save(8): https://man7.org/linux/man-pages/man8/iptables-save.8.html
- systemd.special(7), network-pre.target:
  https://www.freedesktop.org/software/systemd/man/latest/systemd.special.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath

from iptlint.analysis.script_lockouts import FLUSHES, POLICIES, is_certain
from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Severity
from iptlint.model import Family, Ruleset
from iptlint.model.owners import owner_of_name
from iptlint.model.script import Kind, Script, Step
from iptlint.rules.meta import Group, Meta
from iptlint.source import Span

META = Meta(
    code="IPT403",
    name="script-never-saves",
    severity=Severity.WARNING,
    confidence=Confidence.POSSIBLE,
    group=Group.PERSISTENCE,
    since="0.2.0",
    about_files=True,
)


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        script = ruleset.script
        if script is None:
            continue
        yield from map(_lost, dict.fromkeys(s.span for s in script.steps if s.reloads))
        saving = {step.span for step in script.steps if step.kind in (Kind.SAVE, Kind.PRINT)}
        if script.hints.is_provided_for(saving) or not _is_whole(script):
            continue
        if _is_called(context, ruleset):
            continue
        left, saved = _left(ruleset), _saved(script)
        first = _first_change(script, left - saved)
        if first is not None:
            gone = _NAMES[min(left - saved, key=list(Family).index)] if left & saved else ""
            yield META.finding(
                first.span,
                f"after the next boot the {gone}rules of this script are gone, if nothing makes "
                f"them again then: {_why(script, gone)}",
                _advice(ruleset, gone),
            )


_BOTH = frozenset((Family.IP, Family.IP6))
_NAMES = {Family.IP: "IPv4 ", Family.IP6: "IPv6 "}


def _left(ruleset: Ruleset) -> frozenset[Family]:
    """The families of which rules or policies of the script's are there for sure when it is
    through."""
    assert ruleset.script is not None
    before = {rule for _, _, rule in ruleset.script.after(0).rules()}
    left: set[Family] = set()
    for table, _, rule in ruleset.rules():
        if rule not in before and is_certain(rule):
            left |= {table.family} if table.family in _BOTH else _BOTH
    return frozenset(left)


def _saved(script: Script) -> frozenset[Family]:
    """The families whose rules it saves when it has made some: before, that is a copy of others."""
    changed, saved = set[Family](), set[Family]()
    for step in script.steps:
        if step.kind is Kind.CHANGE and not step.failed:
            changed |= step.changed
        saved |= step.saves & changed
    return frozenset(saved)


def _why(script: Script, gone: str) -> str:
    if gone:
        others = "IPv4" if gone == _NAMES[Family.IP6] else "IPv6"
        return f"iptlint saw it save those of {others} only"
    before = next((step for step in script.steps if step.saves), None)
    if before is not None:
        return f"what it saves in line {before.span.line} is what was there before"
    printed = next((step for step in script.steps if step.kind is Kind.PRINT), None)
    if printed is not None:
        return f"line {printed.span.line} prints them, and writes them to no file"
    return "iptlint saw it save none, and nothing that runs it at boot"


def _lost(reload: Span) -> Finding:
    return META.finding(
        reload,
        "this loads the rules that were saved some time: those that the script has made so far are "
        "gone then, since iptlint saw it save none before",
        "before it: iptables-save > FILE, to where the service reads them (`service iptables save` "
        "knows it); or leave it out",
    )


def _is_called(context: Context, ruleset: Ruleset) -> bool:
    """Whether another script of the run carries it out: that one is to keep the rules of both."""
    name = re.compile(rf"(?:^|[\s/\"']){re.escape(PurePath(ruleset.source.path).name)}(?![\w.-])")
    return any(
        each.script is not None
        and (
            any(step.span.source.path == ruleset.source.path for step in each.script.steps)
            or any(name.search(span.text) for span in each.script.absent)
        )
        for each in context.rulesets
        if each is not ruleset
    )


def _is_whole(script: Script) -> bool:
    """Whether it is a program, or sets up a firewall from nothing: a few lines that somebody pastes
    into something else are not."""
    begins = (*POLICIES, *FLUSHES)
    return script.hints.is_program or any(
        word in begins for step in script.steps for word in step.words
    )


def _first_change(script: Script, families: frozenset[Family]) -> Step | None:
    changes = (s for s in script.steps if s.kind is Kind.CHANGE and not s.failed)
    return next((step for step in changes if step.changed & families), None)


def _advice(ruleset: Ruleset, gone: str) -> str:
    chains = (name for table in ruleset.tables for name in table.chains)
    software = next((owner for name in chains if (owner := owner_of_name(name))), None)
    if software is not None and software.transient:  # its rules would be saved, too
        return f"have a systemd unit run it at boot, after {software.name} has started"
    if all(table.origin is not None for table in ruleset.tables):
        return "at its end: { echo 'flush ruleset'; nft list ruleset; } > /etc/nftables.conf"
    if gone:
        tool, file = ("iptables", "v4") if gone == _NAMES[Family.IP] else ("ip6tables", "v6")
        return (
            f"at its end: {tool}-save > FILE, to where the next boot finds them (with"
            f" netfilter-persistent: /etc/iptables/rules.{file})"
        )
    return (
        "at its end: netfilter-persistent save (or `service iptables save`); or have a systemd "
        "unit run it at boot"
    )
