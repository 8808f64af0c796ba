"""Answers to the items of a benchmark, and how several become one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from iptlint.analysis.shares import Share
from iptlint.benchmark.host import BenchmarkHost, Tool
from iptlint.model import IP_VERSIONS, Family
from iptlint.source import Span

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks


class Verdict(Enum):
    """The gravest first."""

    FAIL = "fail"
    CANNOT_TELL = "cannot tell"
    PASS = "pass"


@dataclass(frozen=True, slots=True)
class Answer:
    """``span``: what decides."""

    verdict: Verdict
    reason: str = ""
    span: Span | None = None


Decide = Callable[[BenchmarkHost, Tool], Answer]
"""The tool is the one that the item is about."""

Check = Callable[["Hooks"], Answer]

_GRAVITY = tuple(Verdict)


def passes(reason: str = "", share: Share | None = None) -> Answer:
    return Answer(Verdict.PASS, reason, share.span if share else None)


def fails(reason: str, share: Share | None = None) -> Answer:
    return Answer(Verdict.FAIL, reason, share.span if share else None)


def cannot_tell(reason: str, share: Share | None = None) -> Answer:
    return Answer(Verdict.CANNOT_TELL, reason, share.span if share else None)


def worst(answers: Iterable[Answer]) -> Answer:
    """The first of the gravest; of those that pass, the first with something to say."""
    return min(answers, key=lambda a: (_GRAVITY.index(a.verdict), not a.reason))


def who(share: Share) -> str:
    return "a rule" if share.rule else f"the policy of {share.chain.name}"


def on_each_path(check: Check, *, six: bool = True) -> Decide:
    """The gravest answer of the families of the tool. ``six``: where the files say nothing of IPv6,
    nobody can tell."""

    def decide(host: BenchmarkHost, tool: Tool) -> Answer:
        by_family: dict[Family, list[Answer]] = {}
        for family in tool.families:
            all_hooks = [*host.all_hooks(tool, family)]
            by_family[family] = [_cautiously(host, hooks, check) for hooks in all_hooks]
            if not all_hooks and (six or family is not Family.IP6 or len(tool.families) == 1):
                by_family[family] = [cannot_tell(f"no rules for {IP_VERSIONS[family]} are given")]
            elif not all_hooks:
                del by_family[family]
        gravest = worst(answer for answers in by_family.values() for answer in answers)
        return _naming_family(gravest, by_family)

    return decide


def _cautiously(host: BenchmarkHost, hooks: Hooks, check: Check) -> Answer:
    doubt = host.doubt(hooks.ruleset)
    return cannot_tell(doubt) if doubt else check(hooks)


def _naming_family(answer: Answer, by_family: dict[Family, list[Answer]]) -> Answer:
    """Which packets it is about, where those of the other family fare better."""
    concerned = [
        family
        for family, answers in by_family.items()
        if any(other.verdict is answer.verdict for other in answers)
    ]
    if len(concerned) != 1 or len(by_family) == 1 or not answer.reason or "IPv" in answer.reason:
        return answer
    return Answer(answer.verdict, f"over {IP_VERSIONS[concerned[0]]}, {answer.reason}", answer.span)
