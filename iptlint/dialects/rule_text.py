"""What the languages have in common when a rule is written otherwise.

A script, and a host, may have rules of both at the same time; so what is looked for here is
looked for in both.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from iptlint.model import Field, Match, Rule
from iptlint.model.matches import tests_in
from iptlint.source import Span


def edited(whole: Span, part: Span, text: str) -> str:
    """The text of the whole with another one in the place of the part."""
    source = whole.source.text
    return f"{source[whole.start : part.start]}{text}{source[part.end : whole.end]}"


# -- states ---------------------------------------------------------------------------------

_STATES = re.compile(
    r"(?P<start>(?P<option>--(?:ct)?state[\s=]+)|ct\s+state\s+(?:\{\s*)?)"
    r"(?P<states>\w+(?:\s*,\s*\w+)*)(?P<end>\s*\}?)$",
    re.ASCII,
)
"""A list of states that a rule takes; with a negation, or in a map, it reads otherwise."""

_NEGATED = re.compile(
    r"!\s*--(?P<option>(?:ct)?state)[\s=]+\S+|ct\s+state\s*!=\s*(?:\{[^}]*\}|[\w,]+)", re.I
)


def asks_for_state(match: Match) -> bool:
    return any(getattr(test, "field", None) is Field.CT_STATE for test in tests_in(match))


def _state_test(rule: Rule) -> Span | None:
    """Where the rule asks for the state, if it does so once and in its own words."""
    tests = [number for number, match in enumerate(rule.matches) if asks_for_state(match)]
    whole = rule.statement.span
    if len(tests) != 1 or "\n" in whole.text:
        return None
    span = rule.origin.part(tests[0])
    inside = span.source is whole.source and whole.start <= span.start <= span.end <= whole.end
    return span if inside else None


def with_states(rule: Rule, change: Callable[[list[str]], list[str]]) -> str | None:
    """The rule with other states in its list; None where it has none, or none is left."""
    span = _state_test(rule)
    listed = _STATES.match(span.text) if span else None
    if span is None or listed is None:
        return None
    before = re.split(r"\s*,\s*", listed["states"])
    states = change(before)
    if not states or states == before:
        return None
    joint = ", " if ", " in listed["states"] else ","
    text = joint.join(states)
    shown = text.upper() if listed["option"] else text
    return edited(rule.statement.span, span, f"{listed['start']}{shown}{listed['end']}").strip()


def answers_only(rule: Rule) -> str | None:
    """A rule for all states but some, as one for established and related."""
    span = _state_test(rule)
    negated = _NEGATED.fullmatch(span.text) if span else None
    if span is None or negated is None:
        return None
    option = negated["option"]
    states = f"--{option} ESTABLISHED,RELATED" if option else "ct state established,related"
    return edited(rule.statement.span, span, states).strip()


# -- the other way --------------------------------------------------------------------------

_CHAINS = ("PREROUTING", "OUTPUT")
_PAIRS = (
    *(("-i", "-o"), ("-s", "-d"), ("--sport", "--dport"), ("--sports", "--dports")),
    *(("sport", "dport"), ("saddr", "daddr"), ("iifname", "oifname"), ("iif", "oif")),
)
_MIRRORED = {one: other for pair in (_CHAINS, *_PAIRS) for one, other in (pair, pair[::-1])}
_WORDS = re.compile(rf"(?<!\S)(?:{'|'.join(map(re.escape, _MIRRORED))})(?!\S)")


def mirrored(rule: Rule, *, forwarded: bool) -> str:
    """The rule for the answers to its packets, in its own words."""

    def mirror(word: re.Match[str]) -> str:
        return word[0] if forwarded and word[0] in _CHAINS else _MIRRORED[word[0]]

    return _WORDS.sub(mirror, rule.statement.span.text)


# -- values ---------------------------------------------------------------------------------

_SELECTORS = {
    *(
        "saddr",
        "daddr",
        "sport",
        "dport",
        "iifname",
        "oifname",
        "iif",
        "oif",
        "l4proto",
        "protocol",
    ),
    *("state", "mark", "type", "code", "nexthdr", "pkttype", "length", "dscp", "ttl", "hoplimit"),
}


def value(test: str) -> str:
    """What a test compares with, as it is written."""
    words = test.replace("!=", "! ").replace("=", " ").split()
    kept = [word for word in words if word != "!" and not word.startswith("-")]
    start = max((n for n, word in enumerate(kept) if word in _SELECTORS), default=-1)
    return " ".join(kept[start + 1 :]) or "its value"


# -- on one line ----------------------------------------------------------------------------


def one_line(rule: Rule) -> str:
    return " ".join(rule.statement.span.text.split())


def with_test(rule: Rule, test: str, instead: str) -> str | None:
    """The rule with another text for that of a test; None where the test is not in it."""
    whole = rule.origin.span.text
    return " ".join(whole.replace(test, instead, 1).split()) if test in whole else None
