"""Hosts and test files, made of texts."""

from __future__ import annotations

from iptlint.analysis.session import Context, Settings
from iptlint.dialects import Reader, read
from iptlint.dialects.sets import read_sets, together
from iptlint.model import Ruleset
from iptlint.policy.file import read_tests
from iptlint.policy.hosts import PolicyHost
from iptlint.policy.judge import judge
from iptlint.policy.results import Result, Status
from iptlint.source import SourceFile

CLOSED4 = """\
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
{rules}
COMMIT
"""


def closed(*rules: str) -> str:
    """A host that denies by default, over IPv4."""
    return CLOSED4.format(rules="\n".join(rules))


def rulesets(*texts: str, sets: str = "") -> tuple[Ruleset, ...]:
    """Named rules1, rules2 …"""
    readings = [
        read(SourceFile(f"rules{number}", text), Reader()) for number, text in enumerate(texts, 1)
    ]
    more = [read_sets(SourceFile("sets", sets))] if sets else []
    known, _ = together([*readings, *more])
    return tuple(reading.ruleset for reading in known[: len(texts)])


def host(*texts: str, sets: str = "") -> PolicyHost:
    def reread(source: SourceFile) -> Ruleset:
        return read(source, Reader()).ruleset

    return PolicyHost("host", Context(rulesets(*texts, sets=sets), Settings()), reread=reread)


def judged(sentence: str, *texts: str, more: str = 'families = ["ip"]', sets: str = "") -> Result:
    """The result of one test, over IPv4 unless ``more`` of the test file says otherwise."""
    policy = read_tests(f'tests = ["{sentence}"]\n{more}\n')
    (result,) = judge(policy, [host(*texts, sets=sets)])
    return result


def status(sentence: str, *texts: str, more: str = 'families = ["ip"]') -> Status:
    return judged(sentence, *texts, more=more).status
