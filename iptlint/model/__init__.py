"""A ruleset, whatever language it was written in.

``ruleset``: what holds what. ``matches``: the tests of a rule. ``verdicts``:
what a rule does with the packets it takes. Everything is frozen.
"""

from iptlint.model.matches import (
    AnyOf,
    Decided,
    Field,
    Interface,
    Masked,
    Match,
    Opaque,
    Uncertain,
    Within,
)
from iptlint.model.ruleset import (
    IP_VERSIONS,
    Chain,
    Family,
    Hook,
    Named,
    Rule,
    Ruleset,
    Table,
    unread_rule,
)
from iptlint.model.verdicts import Effect, EffectKind, Verdict, VerdictKind

__all__ = [
    "IP_VERSIONS",
    "AnyOf",
    "Chain",
    "Decided",
    "Effect",
    "EffectKind",
    "Family",
    "Field",
    "Hook",
    "Interface",
    "Masked",
    "Match",
    "Named",
    "Opaque",
    "Rule",
    "Ruleset",
    "Table",
    "Uncertain",
    "Verdict",
    "VerdictKind",
    "Within",
    "unread_rule",
]
