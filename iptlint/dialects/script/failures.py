"""Commands that fail without anybody being asked whether they would."""

from __future__ import annotations

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.script.iptables_execution import REFUSED
from iptlint.dialects.script.state import Run
from iptlint.source import Span


def tell(run: Run, span: Span, why: tuple[str, str] | None) -> None:
    """``why``: what is to be said of the failure, and what to do."""
    if why is None or not surprises(run):
        return
    run.diagnostics.append(refused(span, *why))


def refused(span: Span, message: str, advice: str) -> Diagnostic:
    return Diagnostic(REFUSED, "warning", span.start, span.end, message, advice, span.source)


def surprises(run: Run) -> bool:
    """Whether nothing looks at the failure, what the command says of it is seen, it is no round of
    a loop or call of a function, and not what ends the script (``set -e``)."""
    looked_at = run.asking or run.muted or run.conditions() or run.occasions
    return not looked_at and "e" not in run.environment.settings
