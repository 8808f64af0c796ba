"""Who reaches which service, as a page of its own."""

from __future__ import annotations

from iptlint.policy.matrix import Matrix
from iptlint.reports.html.environment import rendered
from iptlint.reports.html.matrix_table import matrix_table


def matrix_html(matrix: Matrix) -> str:
    hosts = ", ".join(matrix.hosts)
    title = f"Who reaches {matrix.target}: {hosts}"
    return rendered("matrix.html", title=title, matrix=matrix_table(hosts, matrix))
