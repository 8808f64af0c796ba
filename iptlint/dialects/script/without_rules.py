"""What is said of a script that makes no rules of this host, as far as it was followed: who makes
them, and what to check instead.

What a script does beyond the text nobody knows here, so each sentence is of what was seen in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from iptlint.dialects.diagnostics import Diagnostic, at_first_line
from iptlint.dialects.script.arguments import asks_for_words
from iptlint.dialects.script.files import called_files, sourced_files
from iptlint.dialects.script.steps import Script
from iptlint.dialects.script.tree import ScriptFile, end_of
from iptlint.dialects.script.wanted import Wanted, wanted
from iptlint.model.script import Kind
from iptlint.source import SourceFile, Span


def without_rules(
    file: ScriptFile, script: Script, diagnostics: Sequence[Diagnostic]
) -> tuple[Diagnostic, ...]:
    """The diagnostics, with one that says that nothing was checked; of what others do, nobody need
    be told what was not understood."""
    source, end = file.source, end_of(file)
    called, sourced = called_files(script.absent), sourced_files(script.absent)
    # What is called by a word alone is a function of those.
    functions = [each for each in called if sourced and not _IS_FILE.search(each)]
    called = [each for each in called if each not in functions]
    elsewhere = bool(script.rule_files or called)
    asking = next(filter(asks_for_words, diagnostics), None)
    nothing = _no_commands(source, script.rule_files, called, end)
    handed = nothing.message == _ONLY_NAMES and _hands_on(source.text[:end])
    if sourced and (handed or (functions and not called and not script.rule_files)):
        nothing = replace(nothing, message=_by_functions_of(sourced), help=_RUN)
        elsewhere = True
    elif sourced and nothing.message == _ONLY_NAMES:
        of_rules = [name for name in sourced if _ABOUT_RULES.search(name)]
        if of_rules:
            nothing = replace(nothing, message=_sourced_elsewhere(of_rules), help=_RUN)
            elsewhere = True
    changing = [step for step in script.steps if step.kind is Kind.CHANGE]
    loading = [step.span for step in changing if step.span in script.absent]
    making = [step.span for step in changing if _TAKING.isdisjoint(step.words)]
    if loading:
        nothing = replace(nothing, message=_loads(loading[0]), help=_LOADED)
    elif making:
        nothing = replace(nothing, message=_makes(making[0]), help=_RUN)
        elsewhere = True
    elif changing:
        nothing = replace(nothing, message=_ONLY_DELETES, help=_ELSE)
    told = [d for d in diagnostics if not (elsewhere and d.code == "IPT002")]
    unset = wanted(file)
    if unset is not None and not (script.steps or script.rule_files or called):
        nothing = replace(nothing, help=_fill_in(unset))
    elif asking is not None and not script.rule_files:
        nothing = replace(nothing, help=f"{asking.message}: {asking.help}")
    return (*(each for each in told if each is not asking), nothing)


def _hands_on(text: str) -> bool:
    """Whether another command is to carry out one of a tool, or a function of the script's own."""
    if _HANDED.search(text):
        return True
    named = {found[1] for found in _CALLED_BACK.finditer(text)}
    return any(found[1] in named for found in _DEFINED.finditer(text))


_DEFINED = re.compile(r"^[ \t]*(?:function[ \t]+)?(\w+)[ \t]*\(\)", re.MULTILINE)
_CALLED_BACK = re.compile(
    r"^[ \t]*(?!(?:echo|printf|log\w*|type|command|unset|export|trap|local|function|return)\b)"
    r"[a-z_][\w.-]*[ \t]+(\w+)(?![\w(])",
    re.MULTILINE,
)


_IS_FILE = re.compile(r"[/.]")


def behind_the_end(file: ScriptFile) -> Iterator[Diagnostic]:
    """Commands for a firewall below an ``exit`` that is always carried out."""
    source, end = file.source, end_of(file)
    behind = [match.start() for match in _ADDS.finditer(source.text, end)]
    if behind:
        first, last = source.line_of(behind[0]), source.line_of(behind[-1])
        lines = f"lines {first} to {last} are" if last > first else f"line {first} is"
        exit_ = source.line_of(end)
        message = f"{lines} never carried out: the script ends at line {exit_}"
        advice = f"take line {exit_} out, or what is below it"
        start, stop = behind[0], source.line_span(first).end
        yield Diagnostic("IPT002", "info", start, stop, message, advice, source)


_ADDS = re.compile(
    r"^[ \t]*(?:sudo[ \t]+)?(?:(?:/\S*/)?ip6?tables|\$\{?\w*(?:IPT|ipt)\w*\}?)[ \t]+-(?=[-\w])",
    re.MULTILINE,
)


_NAMES_A_TOOL = re.compile(
    r"^(?![ \t]*(?:#|(?:echo|printf)\b[^|;&>`\n]*$)).*\b(?:ip6?tables|nft|ipset(?=[ \t]+-*\w))\b",
    re.MULTILINE | re.IGNORECASE,
)
"""In no remark, and in nothing that is only printed."""
_MANAGER = re.compile(
    r"^[ \t]*(?:\$?\{?sudo\}?[ \t]+)?(?:/usr)?(?:/s?bin/)?"
    r"(firewall-cmd|ufw|pve-firewall|shorewall6?|csf)[ \t]",
    re.MULTILINE | re.IGNORECASE,
)
_SERVICE = re.compile(
    r"^[ \t]*(?:sudo[ \t]+)?(?:/usr)?(?:/s?bin/)?(?:(?:rc-)?service|systemctl)[ \t]+"
    r"(?!(?:-\S+[ \t]+)*(?:status|show|cat|is-\w+)\b)(?:[-\w]+[ \t]+)*?(ip6?tables|nftables)\b",
    re.MULTILINE,
)
_BY_A_TOOL = re.compile(r"^[ \t]*(?:sudo[ \t]+)?(?:/\S*/)?(?:ip6?tables|nft)[ \t]", re.MULTILINE)
_ELSE = (
    "if another script makes the rules, lint that one; or, on the host, what `iptables-save` or "
    "`nft list ruleset` prints"
)
_RUN = "where it has been run, lint what `iptables-save` or `nft list ruleset` prints"
_HANDED = re.compile(
    r"^[ \t]*(?!(?:echo|printf|log\w*|grep|sed|awk|cat)\b)[\w.-]+[ \t]+(?:[^\s\"'#]+[ \t]+)*"
    r"[\"'][^\"'\n]*\b(?:ip6?tables|nft)[ \t]",
    re.MULTILINE,
)
"""A command of a tool, in quotes, that another command is to carry out."""
_ON_OTHERS = re.compile(
    r"^(?![ \t]*(?:#|echo\b|printf\b))(?>[^\n#]*?"
    r"\b(ssh|(?:docker|podman|lxc|kubectl|adb)(?=[ \t][^\n]{0,300}\b(?:exec|ssh|shell)\b))[ \t])"
    r"[^\n]*\b(?:ip6?tables(?:-restore)?[ \t]+-|nft[ \t]+(?:-f|add|insert|delete|flush)\b)",
    re.MULTILINE,
)
"""A command for the firewall of a machine, or a container, that another command reaches."""
_IN_NAMESPACES = re.compile(
    r"^(?![ \t]*#)(?>.*?\bip (?:netns exec|-n(?:etns)? ?\w+ .{0,300}?\bexec) )"
    r".*\b(?:ip6?tables|nft)\b",
    re.MULTILINE,
)


_ENTERING = re.compile(
    r"^(?![ \t]*(?:#|echo\b|printf\b))[^\n#]*\bnsenter[ \t][^\n]*(?:(?<![\w-])-\w*n|--net)\b",
    re.MULTILINE,
)


_ONLY_DELETES = "iptlint saw this script delete rules and make none, so nothing was checked"


def _no_commands(
    source: SourceFile, rule_files: Sequence[str], called: Sequence[str], end: int
) -> Diagnostic:
    """``called``: the files that it has carried out and that are not here; ``end``: where it stops,
    whatever comes behind that."""
    message = (
        "iptlint saw no command in this script that changes this host's firewall, so nothing was "
        "checked"
    )
    advice = _ELSE
    if rule_files:
        message = (
            f"iptlint saw this script write rules into {rule_files[0]}, and no command of its own "
            "that makes any, so nothing was checked"
        )
        advice = "where it has been run, lint that file"
    elif others := _of_others(source, end):
        message, advice = others
    elif _NAMES_A_TOOL.search(source.text, end) and not _NAMES_A_TOOL.search(source.text, 0, end):
        line = source.line_of(end)
        message = (
            f"as iptlint reads it, this script ends at line {line}, before its first command for a "
            "firewall, so nothing was checked"
        )
        advice = f"lint it without line {line}, if that is to go once the script is used"
    elif called:
        message, advice = _elsewhere(called)
    elif managed := _managed(source.text):
        message, advice = managed, _RUN
    elif _NAMES_A_TOOL.search(source.text):
        message = _ONLY_NAMES
        advice = (
            "if its functions are for another script to call, name that one; if it wants an "
            "argument, give it with --script-args"
        )
    told = at_first_line(source, "IPT008", "warning", message, advice + _options(source, end))
    return replace(told, alone=True)


def _of_others(source: SourceFile, end: int) -> tuple[str, str] | None:
    """What it changes elsewhere, and what to lint there; None where that is not seen."""
    if _IN_NAMESPACES.search(source.text):
        of = "the firewalls of network namespaces (`ip netns exec`)"
        advice = "in each of them: ip netns exec NAME iptables-save | iptlint check -"
    elif _ENTERING.search(source.text, 0, end) and not _BY_A_TOOL.search(source.text):
        of = "the firewalls of network namespaces (`nsenter`)"
        advice = "in each of them: nsenter -n -t PID iptables-save | iptlint check -"
    elif (by := _ON_OTHERS.search(source.text, 0, end)) and not _BY_A_TOOL.search(source.text):
        of = f"the firewall of another machine (`{by[1]}`)"
        advice = "there: iptables-save or nft list ruleset, and lint what that prints"
    else:
        return None
    return f"the commands for a firewall that iptlint saw here are for {of}: nothing was checked", (
        advice
    )


_TAKING = frozenset(
    ("-D", "--delete", "-F", "--flush", "-X", "--delete-chain", "-Z", "-P", "flush", "delete")
)


def _makes(command: Span) -> str:
    return (
        "iptlint cannot tell which rules this script makes (the first command that may is in line "
        f"{command.line}), so nothing was checked"
    )


_LOADED = "lint that file, or put it beside this script"


def _loads(command: Span) -> str:
    return (
        f"iptlint did not find the file of rules that line {command.line} loads, and saw no other "
        "rules of this script, so nothing was checked"
    )


def _managed(text: str) -> str:
    """Who else makes the rules, by a command of the script; empty where nobody does."""
    if manager := _MANAGER.search(text):
        return f"the rules that {manager[1]} makes of this script's commands were not checked"
    if (service := _SERVICE.search(text)) and not _BY_A_TOOL.search(text):
        return (
            f"of commands for a firewall iptlint saw only those for the service {service[1]}, so "
            "nothing was checked: the rules are those that the service loads"
        )
    return ""


_ONLY_NAMES = (
    "this script names iptables, nft or ipset, but called as it is here, iptlint followed it to no "
    "command that changes this host's firewall, so nothing was checked"
)


def _by_functions_of(sourced: Sequence[str]) -> str:
    return (
        f"iptlint did not read {' and '.join(sourced)}, whose functions this script takes, and saw "
        "no command of its own that changes this host's firewall, so nothing was checked"
    )


_ABOUT_RULES = re.compile(r"ip6?t|nft|fire|fw|rules|nat|masq", re.IGNORECASE)


def _sourced_elsewhere(sourced: Sequence[str]) -> str:
    return (
        f"iptlint did not find {' and '.join(sourced)}, which this script sources, and saw no "
        "command of its own that changes this host's firewall, so nothing was checked"
    )


def _fill_in(unset: Wanted) -> str:
    return (
        f"give {unset.name} its value in line {unset.given}: as long as it is empty, the script "
        f"ends at line {unset.line}"
    )


def _options(source: SourceFile, end: int) -> str:
    """Those that the script asks for, as who lints it gives them."""
    found = _OPTIONS.search(source.text, 0, end)
    options = _OPTION.findall(found[1]) if found else []
    words = (f'"-{name} VALUE"' if value else f"-{name}" for name, value in options)
    named = ", ".join(f"--script-args={word}" for word in words)
    return f" (it takes options: {named})" if named else ""


_OPTIONS = re.compile(r"^[^#\n]*\bgetopts[ \t]+[\"']?:?([A-Za-z:]+)", re.MULTILINE)
_OPTION = re.compile(r"([A-Za-z])(:?)")


def _elsewhere(called: Sequence[str]) -> tuple[str, str]:
    what = "it" if len(called) == 1 else "them"
    message = (
        "iptlint saw no command of this script itself that changes this host's firewall, and did "
        f"not find {' and '.join(called)}, which it calls, so nothing was checked"
    )
    return message, f"lint {what}, or put {what} beside this script"
