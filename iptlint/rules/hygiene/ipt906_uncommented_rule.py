"""Rules of a chain do not say what they are for.

## What it does
Counts, for each chain, the rules that have neither a comment (`-m comment`, `comment "…"`) nor a
line with `#` above them, above the block of rules they stand in, or behind them. One finding a
chain. Rules that explain themselves do not count: the loopback interface, running
connections, calls of chains, and what takes everything at the end.

## Why it matters
Nobody dares to delete a rule whose reason is lost, so rulesets only grow.

## Example
```
*filter
:INPUT DROP [0:0]
-A INPUT -s 203.0.113.7/32 -p tcp -m tcp --dport 8443 -j ACCEPT
COMMIT
```

## Fix
`-A INPUT -s 203.0.113.7/32 -p tcp -m tcp --dport 8443 -m comment --comment "backup" -j ACCEPT`;
in nft, `… accept comment "backup"`. Unlike lines with `#`, these are still there when the
running rules are saved.

## When it is wrong
Where the reasons are written somewhere else. It is off unless it is selected.

## References
- iptables-extensions(8), comment: https://man7.org/linux/man-pages/man8/iptables-extensions.8.html
- nft(8), "RULES": https://www.netfilter.org/projects/nftables/manpage.html
"""

from __future__ import annotations

from collections.abc import Iterator

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.model import Chain, Field, Interface, Match, Rule, VerdictKind, Within
from iptlint.model.matches import CT_STATES
from iptlint.model.ownership import is_user_chain, owners_of_interfaces
from iptlint.model.syntax import Syntax
from iptlint.rules.meta import Group, Meta

META = Meta(
    code="IPT906",
    name="uncommented-rule",
    severity=Severity.INFO,
    confidence=Confidence.CERTAIN,
    group=Group.HYGIENE,
    since="0.1.0",
    pedantic=True,
)

_ESTABLISHED, _NEW = CT_STATES.index("established"), CT_STATES.index("new")


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        for table in ruleset.tables:
            for chain in table.chains.values():
                if is_user_chain(table, chain.name):
                    yield from _of_chain(chain, ruleset.syntax)


def _of_chain(chain: Chain, syntax: Syntax) -> Iterator[Finding]:
    asked = [parts for parts in chain.statements() if not all(map(_says_itself, parts))]
    silent = [
        parts[0]
        for parts in asked
        if not any(rule.comment is not None or syntax.is_in_remarked_block(rule) for rule in parts)
    ]
    if silent:
        first, *others = (rule.statement.span for rule in silent)
        comment = syntax.pick(iptables='-m comment --comment "…"', nft='comment "…"')
        yield META.finding(
            first,
            _message(chain.name, len(silent), len(asked)),
            f"say {_what(len(silent))} for, in the rule (`{comment}`) or in a line with # above it",
            related=tuple(Label(span, "the last of them") for span in others[-1:]),
        )


def _message(chain: str, silent: int, asked: int) -> str:
    if asked == 1:
        return f"nothing says what this rule of {chain} is for"
    if silent == asked:
        return f"nothing says what these {asked} rules of {chain} are for"
    return f"nothing says what {silent} of the {asked} rules of {chain} {_be(silent)} for"


def _what(number: int) -> str:
    return "what it is" if number == 1 else "what they are"


def _be(number: int) -> str:
    return "is" if number == 1 else "are"


def _says_itself(rule: Rule) -> bool:
    calls = rule.verdict.chain is not None or not rule.matches
    goes_on = rule.verdict.kind is VerdictKind.CONTINUE
    owned = any(owners_of_interfaces(rule))
    return not rule.read or calls or goes_on or owned or any(map(_is_idiom, rule.matches))


def _is_idiom(match: Match) -> bool:
    match match:
        case Within(Field.CT_STATE, ranges, negated=False):
            states = {state for low, high in ranges for state in range(low, high + 1)}
            return (_ESTABLISHED in states and _NEW not in states) or ranges == _INVALID
        case Interface(name="lo"):
            return True
        case _:
            return False


_INVALID = ((CT_STATES.index("invalid"),) * 2,)
