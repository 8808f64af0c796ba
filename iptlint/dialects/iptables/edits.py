"""Rules of iptables, written otherwise: the text is what follows the tool's name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from iptlint.dialects.rule_text import edited, one_line, with_test
from iptlint.model import AnyOf, Family, Field, Masked, Rule, Table, Within
from iptlint.model.matches import Ranges

PORTS_IN_A_LIST = 15
"""XT_MULTI_PORTS (linux/netfilter/xt_multiport.h); a range takes two of them."""

_LIMIT = "-m limit --limit 5/min --limit-burst 10"
_PORT_OPTIONS: dict[Field | None, str] = {Field.DPORT: "dports", Field.SPORT: "sports"}
_OF_PROTOCOL = re.compile(r"--(?:[sd]port|source-port|destination-port|tcp-|syn\b|chunk|dccp-)")
_LOADED = re.compile(r"-m (?:tcp|udp|sctp|dccp|udplite) $")
_CONTINUED = re.compile(r"(?<![ \t])[ \t]*\\\n[ \t]*")


def with_limit(rule: Rule) -> str:
    """The rule for a few packets a minute; the limit is its last test."""
    whole, verdict = rule.statement.span, rule.origin.part(-1)
    text = whole.source.text
    return f"{text[whole.start : verdict.start]}{_LIMIT} {text[verdict.start : whole.end]}"


def with_ports(rule: Rule, part: int, ports: Ranges) -> str:
    """The rule for a list of ports, on one line. The match of a protocol (``-m tcp``) goes with
    its last option."""
    whole, test = rule.origin.span, rule.origin.part(part)
    option = f"--{_PORT_OPTIONS[_field(rule, part)]}"
    listed = ",".join(str(low) if low == high else f"{low}:{high}" for low, high in ports)
    if test.text.startswith(option):
        return _CONTINUED.sub(" ", edited(whole, test, f"{option} {listed}"))
    text = whole.source.text
    before, after = text[whole.start : test.start], text[test.end : whole.end]
    if not _OF_PROTOCOL.search(before + after):
        before = _LOADED.sub("", before)
    return _CONTINUED.sub(" ", f"{before}-m multiport {option} {listed}{after}")


def with_negated(rule: Rule, part: int, values: Sequence[str]) -> str | None:
    """The rule for all but these; ports are all that iptables takes a negated list of."""
    option = _PORT_OPTIONS.get(_field(rule, part))
    if option is None:
        return None
    test = f"-m multiport ! --{option} {','.join(values)}"
    return edited(rule.origin.span, rule.origin.part(part), test)


def _field(rule: Rule, part: int) -> Field | None:
    match rule.matches[part]:
        case Within(field) | Masked(field) | AnyOf(((Within(field), *_), *_)):
            return field
        case _:
            return None


# -- commands ---------------------------------------------------------------------------------

_CHAIN_OPTION = re.compile(r"(-[AI]|--append|--insert)\s+\S+(\s+\d+(?=\s))?")
_OUTGOING = re.compile(r"(?<!\s)\s+(?:!\s*)?(?:-o\s*|--out-interface[\s=]+)\S+")
_RAW = re.compile(r"(?<!\S)(?:-t\s*|--table[\s=]+)raw(?!\S)")


def tool_of(table: Table) -> str:
    return "ip6tables" if table.family is Family.IP6 else "iptables"


def by_interface(rule: Rule, name: str) -> str:
    """The rule for what leaves by the interface, and not just by any but some other."""
    text = _OUTGOING.sub("", one_line(rule))
    return _CHAIN_OPTION.sub(lambda option: f"{option[0]} -o {name}", text, count=1)


def out_of_raw(rule: Rule, table: str) -> str | None:
    """The command for another table than raw; None where it does not name that."""
    text = rule.statement.span.text
    moved = _RAW.sub(f"-t {table}", text)
    return None if moved == text else moved


def insertion(rule: Rule, table: Table, chain: str) -> str:
    """The command that puts the rule before all others of its chain."""
    return f"{tool_of(table)} {one_line(rule).replace(f'-A {chain}', f'-I {chain}', 1)}"


def deletion(rule: Rule, table: Table, chain: str) -> str | None:
    """The command that deletes the rule; None where it is not written as one that appends it."""
    _, dash, rest = one_line(rule).partition(f"-A {chain}")
    return f"{tool_of(table)} -t {table.name} -D {chain}{rest}" if dash else None


# -- tests --------------------------------------------------------------------------------------

_RANGE = re.compile(r"--(?:src|dst)-range")
_ALIAS = re.compile(r"(?:!\s*)?--s")
"""How ``--state`` starts, which may be abbreviated; ``--ctstate`` does not."""

_ALIAS_WORDS = re.compile(
    r"""(?P<quoted>"(?:[^"\\]|\\.)*"|'[^']*')|(?P<match>(?<!\S)(?:-m\s*|--match[\s=]+))state(?!\S)"""
    r"|(?P<option>(?<!\S)--)st(?:a(?:te?)?)?(?=[\s=])"
)


def with_addresses(rule: Rule, part: int, test: str) -> str:
    """An iprange match that is left without a range goes too."""
    whole, written = rule.origin.span, rule.origin.part(part)
    text = whole.source.text
    before, after = text[whole.start : written.start], text[written.end : whole.end]
    if not _RANGE.search(after):
        before = before.removesuffix("-m iprange ")
    return before + test + after


def with_conntrack(rule: Rule, part: int) -> str | None:
    """The rule with ``-m conntrack`` for ``-m state``; None where the test is no such one."""
    test = rule.origin.part(part).text
    if not (_ALIAS.match(test) or _ALIAS_WORDS.match(test)):
        return None
    return _ALIAS_WORDS.sub(_present_name, rule.statement.span.text).strip()


def _present_name(word: re.Match[str]) -> str:
    if word["quoted"]:
        return word[0]
    return f"{word['match']}conntrack" if word["match"] else f"{word['option']}ctstate"


def with_original_port(rule: Rule, part: int, port: int) -> str | None:
    """The rule for the port that a packet had before it was translated."""
    test = f"-m conntrack --ctorigdstport {port}"
    return with_test(rule, rule.origin.part(part).text, test)
