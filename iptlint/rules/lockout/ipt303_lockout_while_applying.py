"""A script cuts off SSH on its way, though it lets it in when it is through.

## What it does
Goes through a script command by command and asks after each: can somebody open a new SSH
connection to this host, and does a running session live on (its packets come in, and the
answers leave)? Reports the command that cuts off, and the lines from which it works again. It
is an error where the running session is cut off. Where only new connections are, for as long
as the script runs, it is told as information, or as a warning if the script waits meanwhile
(`sleep`, `read`, a look-up on the network). The firewall is at first one that accepts
everything, or what `--from FILE` says. What `iptables-restore` and `nft -f` load takes effect
at once.

## Why it matters
`iptables -P INPUT DROP` above the first ACCEPT works as long as the script gets to its end.
If it is typed in line by line over SSH, if a command in between fails and the script stops, or
if its output waits for a terminal that is cut off, the host is lost.

## Example
```
iptables -P INPUT DROP
iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
iptables -A INPUT -p tcp --dport 22 -j ACCEPT
```

## Fix
Set the policy last, and to ACCEPT before a flush; or write the rules into a file that
`iptables-restore` loads at once, when `iptables-restore --test` (`nft -c -f`) has taken it.
`iptables-apply -t 60 rules.v4` asks whether you can still get in and else takes it back. Over
SSH, have a way back that needs nobody: `iptables-save > /root/before` and
`echo 'iptables-restore < /root/before' | at now + 5 minutes`.

## When it is wrong
Where the script runs only at boot, or on a console. One that starts a container (it ends with
`exec "$@"`) is left out: nobody is logged in there yet. Where sshd listens elsewhere, say so with
`--ssh-ports`. A script with more than 1500 commands is not looked at one by one.

## References
- iptables-apply(8): https://man7.org/linux/man-pages/man8/iptables-apply.8.html
- iptables-restore(8): https://man7.org/linux/man-pages/man8/iptables-restore.8.html
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from iptlint.analysis.script_lockouts import POLICIES, Lockout, is_flush, lockouts
from iptlint.analysis.session import Context
from iptlint.analysis.ssh_access import ssh_ports
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.model import Family, Ruleset
from iptlint.model.script import Script, Step
from iptlint.rules.meta import Group, Meta

META = Meta(
    code="IPT303",
    name="lockout-while-applying",
    severity=Severity.ERROR,
    confidence=Confidence.CERTAIN,
    group=Group.LOCKOUT,
    since="0.2.0",
)


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        script = ruleset.script
        if script is not None and not (script.is_trial or script.hints.is_main_program):
            yield from _findings(context, ruleset, script)


def _findings(context: Context, ruleset: Ruleset, script: Script) -> Iterator[Finding]:
    """A gap of IPv6 alone is told where IPv4 has none: who has both has one way left."""
    for family in (Family.IP, Family.IP6):
        path = context.hooks(ruleset, family)
        gaps = [*lockouts(script, family, ssh_ports(path, context.settings))] if path else []
        if gaps:
            yield from (_finding(gap, script, six=family is Family.IP6) for gap in gaps)
            return


def _finding(gap: Lockout, script: Script, *, six: bool) -> Finding:
    over = "over IPv6, " if six else ""
    waits = script.hints.waits(gap.shut.span, gap.opened.span)
    if gap.cut is None or gap.back is None:
        return META.finding(
            gap.shut.span,
            f"{over}no new SSH connection can be opened from here until line "
            f"{gap.opened.span.line}; a running session lives on",
            _advice(gap, gap.shut),
            related=(Label(gap.opened.span, "from here on one can be opened again"),),
            severity=Severity.WARNING if waits else Severity.INFO,
            confidence=Confidence.POSSIBLE if gap.is_perhaps else None,
            likeness=f"opens {gap.shut.span.line}",
        )
    if gap.back is gap.opened:
        labels = [Label(gap.back.span, f"from here on SSH {_works(gap)} again")]
    else:
        lives = (
            "a running session lives on" if gap.back.is_sure else "a running session may live on"
        )
        labels = [Label(gap.back.span, f"from here on {lives}")]
        opens = "can" if gap.opened.is_sure else "may"
        some = (
            f"some {opens} open a new connection"
            if gap.is_partly
            else f"a new connection {opens} be opened"
        )
        labels.append(Label(gap.opened.span, f"from here on {some}"))
    unseen = _is_unseen_between(script, gap)
    return META.finding(
        gap.cut.span,
        f"{over}this cuts off SSH, running sessions too, {_until(gap)}{_unless(script, gap)}: if "
        "the script stops before that, or is typed in over SSH, nobody gets in by it any more",
        _advice(gap, gap.cut),
        related=tuple(labels),
        severity=Severity.WARNING if six or gap.is_perhaps else None,
        confidence=Confidence.POSSIBLE if unseen or gap.is_perhaps else None,
        likeness=f"runs {gap.cut.span.line}",
    )


def _is_unseen_between(script: Script, gap: Lockout) -> bool:
    """Whether something that is not here is carried out between, as far as lines tell."""
    first, last = gap.shut.span, gap.opened.span
    return any(
        first.source is span.source is last.source and first.start < span.start < last.start
        for span in script.absent
    )


def _unless(script: Script, gap: Lockout) -> str:
    if _is_unseen_between(script, gap):
        return ", unless a file that is carried out before, and is not here, lets it through"
    kept = _may_be_left_open(script, gap)
    return ", unless a rule from before the script lets it through" if kept else ""


def _may_be_left_open(script: Script, gap: Lockout) -> bool:
    """Whether rules of iptables from before the script may be there still: who has not said what
    was there (``--from``), and takes nothing away, leaves them."""
    before = takewhile(lambda step: step is not gap.cut, script.steps)
    own = gap.cut is not None and "".join(gap.cut.words[:1]).startswith("-")
    emptied = any(step.changed and is_flush(step) for step in before)
    return own and script.families is None and not emptied


def _until(gap: Lockout) -> str:
    assert gap.back is not None
    back, opened = gap.back.span.line, gap.opened.span.line
    if back == opened:
        return f"{_at_least(gap.back, partly=gap.is_partly)}until line {back}"
    new = f"for new connections {_at_least(gap.opened, partly=gap.is_partly)}until line {opened}"
    return f"{_at_least(gap.back)}until line {back}, and {new}"


def _at_least(step: Step, *, partly: bool = False) -> str:
    """Whom a command lets in again may not be the one who is cut off: where that is not known, and
    where others are let in further down."""
    return "" if step.is_sure and not partly else "at least "


def _works(gap: Lockout) -> str:
    works = "works" if gap.opened.is_sure and not gap.is_perhaps else "may work"
    return f"{works} for some" if gap.is_partly else works


_AT_ONCE = (
    "or load all rules at once with `iptables-restore` (first with `--test`); over SSH, "
    "`iptables-apply -t 60 -c SCRIPT` takes it back unless you confirm"
)
_AT_ONCE_NFT = (
    "or load all rules at once with `nft -f FILE` (first with `nft -c -f FILE`); over SSH, let "
    "`at` bring the old ones back if you do not stop it"
)


def _line_beside(step: Step, other: Step) -> int:
    """The line behind which something stands beside the other command: that of the call, where the
    step is in a function that the other is not in."""
    both = zip(step.calls, other.calls, strict=False)
    common = len([*takewhile(lambda pair: pair[0] == pair[1], both)])
    return (*step.calls, step.span)[common].line


def _advice(gap: Lockout, step: Step) -> str:
    partly = gap.is_partly or not gap.opened.is_sure
    last = "the last accept" if partly else f"line {_line_beside(gap.opened, step)}"
    nft = not "".join(step.words[:1]).startswith("-")
    at_once = _AT_ONCE_NFT if nft else _AT_ONCE
    if any(word in POLICIES for word in step.words):
        return f"set the policies to DROP only after {last}, {at_once}"
    if is_flush(step):
        if {"-P", "ACCEPT"} <= {*gap.opened.words}:
            return f"do what line {gap.opened.span.line} does before it, {at_once}"
        return f"set the policies to ACCEPT before it, and to DROP after {last}, {at_once}"
    if nft:
        return f"let the chain accept until {last} is through, {at_once}"
    return f"move it behind {last}, {at_once}"
