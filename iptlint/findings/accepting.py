"""What a rule that accepts nearly everything accepts, in words."""

from __future__ import annotations

from iptlint.analysis.shares import Share
from iptlint.model import Field
from iptlint.model.protocols import PROTOCOL_NAMES, TCP, UDP


def kind_of(share: Share) -> str:
    """``tcp `` if the rule is for that protocol alone; nothing if for all."""
    assert share.rule is not None
    space, tests = share.analysis.space, share.analysis.tests(share.rule).may
    return next(
        (
            f"{PROTOCOL_NAMES[number]} "
            for number in (TCP, UDP)
            if not (tests & ~space.value(Field.PROTO, number)).satisfiable()
        ),
        "",
    )


def every(share: Share) -> str:
    """``almost every`` where the rule leaves out some addresses or the like."""
    assert share.rule is not None
    space, tests = share.analysis.space, share.analysis.tests(share.rule).may
    asked = (Field.FAMILY, Field.IIF, Field.OIF, Field.PROTO, Field.CT_STATE, Field.TCP_FLAGS)
    general = space.project(tests, *asked) & space.universe
    return "almost every" if (general & ~tests).satisfiable() else "every"
