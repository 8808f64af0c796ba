"""The rules that a script makes are gone after the next boot.

## What it does
Reports a script that leaves rules in the kernel, has no command that saves them
(`netfilter-persistent save`, `iptables-save > FILE`, `service iptables save`,
`nft list ruleset > FILE`), and of which nothing says that it is run at boot: no name such as
/etc/network/if-pre-up.d, rc.local or /etc/init.d, no header for init or chkconfig, no word of a
unit or of cron, no `start` and `stop` to be called with. One finding a script.

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

from iptlint.analysis.script_lockouts import FLUSHES, POLICIES
from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Severity
from iptlint.model import Rule, Ruleset, Uncertain
from iptlint.model.matches import is_decided
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
        if not _leaves_rules(ruleset) or _is_kept(script) or _is_called(context, ruleset):
            continue
        first = _first_change(script)
        if first is not None:
            yield META.finding(
                first.span,
                "the rules that this script makes are gone after the next boot: it does not save "
                "them, and nothing in it says that it is run at boot",
                _advice(ruleset),
            )


def _lost(reload: Span) -> Finding:
    return META.finding(
        reload,
        "this loads the rules that were saved some time: those that the script has made so far are "
        "gone then, since it has not saved them",
        "before it: iptables-save > FILE, to where the service reads them (`service iptables save` "
        "knows it); or leave it out",
    )


def _leaves_rules(ruleset: Ruleset) -> bool:
    """Whether some rules or policies of the script's are there for sure when it is through."""
    assert ruleset.script is not None
    before = {r for _, _, r in ruleset.script.after(0).rules()}
    return any(r not in before and _is_sure(r) for _, _, r in ruleset.rules())


def _is_sure(rule: Rule) -> bool:
    return rule.read and not any(
        is_decided(m) or (isinstance(m, Uncertain) and m.kind == "script") for m in rule.matches
    )


def _is_kept(script: Script) -> bool:
    saved = any(step.kind is Kind.SAVE for step in script.steps)
    return saved or script.hints.is_provided_for or not _is_whole(script)


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


def _first_change(script: Script) -> Step | None:
    changes = (s for s in script.steps if s.kind is Kind.CHANGE and not s.failed)
    return next(changes, None)


def _advice(ruleset: Ruleset) -> str:
    if all(table.origin is not None for table in ruleset.tables):
        return "at its end: { echo 'flush ruleset'; nft list ruleset; } > /etc/nftables.conf"
    return (
        "at its end: netfilter-persistent save (or `service iptables save`); or have a systemd "
        "unit run it at boot"
    )
