"""Who reaches which service of a host, as the page shows it."""

from __future__ import annotations

from collections.abc import Sequence

from iptlint.analysis.overview import Overview
from iptlint.linter.budget import Budget, OverBudgetError, Watch
from iptlint.packets.diagrams import DDMemoryError
from iptlint.policy.hosts import PolicyHost
from iptlint.policy.matrix import matrix_of
from iptlint.reports.html.matrix_table import MatrixView, matrix_table

_BUDGET = Budget(20.0, 2 << 30)


def matrix_view(name: str, host: Sequence[Overview]) -> MatrixView:
    context = host[0].context
    if context is None:
        return MatrixView(name, missing="left out, as the hosts are many")
    try:
        with Watch(_BUDGET, 1) as watch, watch.over(whole=True):
            matrix = matrix_of([PolicyHost(name, context)])
    except (OverBudgetError, DDMemoryError, MemoryError):
        return MatrixView(name, missing="left out, as it takes too long")
    return matrix_table(name, matrix)
