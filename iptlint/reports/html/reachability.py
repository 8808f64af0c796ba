"""Who reaches which service of a host, as the page shows it."""

from __future__ import annotations

from collections.abc import Sequence

from iptlint.analysis.overview import Overview
from iptlint.linter.budget import Budget, OverBudgetError, Watch
from iptlint.packets.diagrams import DDMemoryError
from iptlint.policy.hosts import PolicyHost
from iptlint.policy.matrix import Matrix, matrix_of
from iptlint.reports.html.matrix_table import MatrixView, matrix_table

_BUDGET = Budget(20.0, 2 << 30)


def matrix_of_host(name: str, host: Sequence[Overview]) -> Matrix | str | None:
    """A word why there is none; nothing where no rule says what comes in."""
    if not any(access.told for overview in host for access in overview.access):
        return None
    context = host[0].context
    if context is None:
        return "left out, as the hosts are many"
    try:
        with Watch(_BUDGET, 1) as watch, watch.over(whole=True):
            return matrix_of([PolicyHost(name, context)])
    except (OverBudgetError, DDMemoryError, MemoryError):
        return "left out, as it takes too long"


def matrix_view(name: str, matrix: Matrix | str) -> MatrixView:
    if isinstance(matrix, str):
        return MatrixView(name, missing=matrix)
    return matrix_table(name, matrix)
