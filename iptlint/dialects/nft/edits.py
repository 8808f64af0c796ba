"""Rules of nft, written otherwise."""

from __future__ import annotations

import re
from collections.abc import Sequence

from iptlint.dialects.rule_text import edited, one_line, with_test
from iptlint.dialects.written_lists import bare
from iptlint.model import Rule, VerdictKind
from iptlint.model.matches import Ranges
from iptlint.model.syntax import Comparison
from iptlint.source import Span

LIMIT = "limit rate 5/minute burst 10 packets"
_COUNTED = re.compile(r"\bcounter packets \d+ bytes \d+")
_LOG = re.compile(
    r"\blog\b(?:\s+(?:prefix\s+(?:\"[^\"]*\"|\S+)|level\s+\w+|flags\s+\w+(?:\s+(?:sequence|options)"
    r"(?:\s*,\s*(?:sequence|options))*)?|(?:group|snaplen|queue-threshold)\s+\d+))*"
)
_LIMIT = re.compile(r"limit rate \d+/\w+(?: burst \d+ packets)?")
_COUNTER = re.compile(r"counter\b(?! name)")
_PORT_TEST = re.compile(r"(?P<selector>[a-z]+ [ds]port)\s+(?:==\s*)?(?:[\w-]+|\{[^@$}]*\})")
_CONTINUED = re.compile(r"[ \t]*\\\n[ \t]*")


def with_limit(rule: Rule) -> tuple[str, ...]:
    """The log of a rule for a few packets a minute; what else it does, in a rule behind it."""
    text = rule.statement.span.text
    log = _LOG.search(text)
    if log is None or "\n" in text or "log" not in bare(text):
        return ()
    before, behind = text[: log.start()], text[log.end() :].strip()
    if _LIMIT.fullmatch(behind):
        return (without_counts(f"{before}{behind} {log[0]}"),)
    goes_on = rule.verdict.kind is VerdictKind.CONTINUE and rule.whole is None
    count = "counter " if goes_on and _COUNTER.match(behind) else ""
    limited = without_counts(f"{before}{count}{LIMIT} {log[0]}")
    if goes_on:
        return (limited,)
    return limited, f"{before}{behind}"


def with_ports(rule: Rule, part: int, ports: Ranges) -> str | None:
    """The rule for a list of ports, on one line; None where the ports are a set's, or a map's."""
    test = rule.origin.part(part)
    written = _PORT_TEST.fullmatch(test.text)
    if written is None:
        return None
    listed = ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in ports)
    text = edited(rule.origin.span, test, f"{written['selector']} {{ {listed} }}")
    return _CONTINUED.sub(" ", without_counts(text))


def without_counts(text: str) -> str:
    """With a counter that begins anew."""
    return _COUNTED.sub("counter", text)


def with_negated(rule: Rule, part: int, values: Sequence[str]) -> str:
    """The rule for all but these."""
    test = rule.origin.part(part)
    selector = test.text.split("!=")[0].strip()
    return edited(rule.origin.span, test, f"{selector} != {{ {', '.join(values)} }}")


# -- for another place --------------------------------------------------------------------------

_PROTOCOL = re.compile(r"(tcp|udp|sctp|dccp)\b")


def with_original_port(rule: Rule, part: int, port: int) -> str | None:
    """The rule for the port that a packet had before it was translated."""
    test = rule.origin.part(part).text
    protocol = _PROTOCOL.match(test)
    of_protocol = f"meta l4proto {protocol[1]} " if protocol else ""
    return with_test(rule, test, f"{of_protocol}ct original proto-dst {port}")


_COUNTED = re.compile(r"\bcounter packets \d+ bytes \d+")


def for_other_table(rule: Rule) -> str | None:
    """The rule as another table can have it: without sets and maps, what it has counted, and what a
    comment says of its place."""
    text = _COUNTED.sub("counter", one_line(rule))
    commented = '"' in text and "comment" in text
    return None if not text or "@" in text or "vmap" in text or commented else text


# -- verdict maps -------------------------------------------------------------------------------

_COMPARED = re.compile(
    r"(?P<key>[a-z]\w*(?: +\w+)*?)\s+(?:==\s+)?(?P<value>\"[^\"]*\"|[^\s\"{}<>=!,]+)"
)


def comparison(rule: Rule) -> Comparison | None:
    """The last test of the rule, if behind it is nothing but the verdict."""
    whole, test = rule.origin.span, rule.origin.part(len(rule.matches) - 1)
    verdict, text = rule.origin.part(-1), whole.source.text
    compared = _COMPARED.fullmatch(test.text)
    if compared is None or text[test.end : verdict.start].strip(" \t\\\r\n"):
        return None
    before = " ".join(text[whole.start : test.start].split())
    inside = whole.start <= test.start < test.end <= verdict.start < verdict.end <= whole.end
    if not inside or "counter" in before:
        return None
    return Comparison(before, " ".join(compared["key"].split()), compared["value"])


def by_name(test: Span) -> str | None:
    """A test of an interface by its number, as one by its name."""
    text = " ".join(test.text.split())
    if "@" in text:
        return None
    named = re.sub(r"\b([io]if)\b", r"\1name", text)
    return "" if named == text else named
