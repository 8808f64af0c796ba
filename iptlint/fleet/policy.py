"""Policy tests and the matrix of one host of a fleet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from iptlint.analysis.session import Context, Settings
from iptlint.dialects import read
from iptlint.fleet.answers import Reached, Tested
from iptlint.linter.budget import Budget, OverBudgetError, Watch
from iptlint.model import Ruleset
from iptlint.model.host import Host
from iptlint.policy.hosts import PolicyHost
from iptlint.policy.judge import is_for, judge
from iptlint.policy.matrix import matrix_of
from iptlint.policy.results import Status
from iptlint.policy.tests import PolicyFile
from iptlint.source import SourceFile

_UNREAD = "its rules could not all be read"


@dataclass(frozen=True, slots=True)
class Policy:
    """``file`` is None where only the matrix is asked for; ``others``: the files of `same as`, by
    their paths as they are written. ``matrix``: whether it is asked for."""

    file: PolicyFile | None = None
    others: Mapping[str, SourceFile] = field(default_factory=dict)
    matrix: bool = False

    def key(self, name: str) -> tuple[object, ...]:
        """Whatever is asked of a host of that name."""
        if self.file is None:
            return (self.matrix,)
        host = PolicyHost(name, Context((), Settings()))
        texts = sorted((path, source.text) for path, source in self.others.items())
        concerned = tuple(is_for(test, host) for test in self.file.tests)
        return (self.matrix, self.named, texts, concerned)

    @property
    def named(self) -> str:
        """All zones and tests, with every address that they name."""
        return repr(self.file)

    def tests(
        self, name: str, rules: Ruleset | None, host: Host, budget: Budget
    ) -> tuple[Tested, ...] | None:
        if self.file is None or not self.file.tests:
            return None
        asked = _host(name, rules, host)
        if rules is None:
            return tuple(self._untested(asked, _UNREAD))
        tested: list[Tested] = []
        try:
            with Watch(budget, 1) as watch, watch.over("the policy tests", whole=True):
                others = {path: read(source).ruleset for path, source in self.others.items()}
                for result in judge(self.file, [asked], others, changes=False):
                    family = result.family.value if result.family is not None else ""
                    sentence, status = result.test.sentence, result.status.value
                    tested.append(Tested(sentence, family, status, result.passes, result.message))
        except OverBudgetError as error:
            tested += self._untested(asked, f"{error} was not enough")
        except MemoryError:
            tested += self._untested(asked, "the memory was not enough")
        return tuple(tested)

    def _untested(self, host: PolicyHost, why: str) -> Iterator[Tested]:
        """All of them: some may have been proved, but which is not worth telling then."""
        for test in self.file.tests if self.file is not None else ():
            if is_for(test, host):
                yield Tested(test.sentence, "", Status.UNPROVED.value, False, why)

    def reached(
        self, name: str, rules: Ruleset | None, host: Host, budget: Budget
    ) -> tuple[Reached, ...] | None:
        """Empty where it cannot be told."""
        if not self.matrix:
            return None
        if rules is None:
            return ()
        try:
            with Watch(budget, 1) as watch, watch.over("the matrix", whole=True):
                matrix = matrix_of([_host(name, rules, host)], self.file)
        except (OverBudgetError, MemoryError):
            return ()
        return tuple(
            Reached(row.zone.name, service.name, part.family.value, part.access.value)
            for row in matrix.rows
            for service, cell in zip(matrix.services, row.cells, strict=True)
            for part in cell.parts
        )


def _host(name: str, rules: Ruleset | None, host: Host) -> PolicyHost:
    rulesets = () if rules is None else (rules,)
    return PolicyHost(name, Context(rulesets, Settings(), None, host))
