"""Several rulesets that one kernel has at the same time, as one."""

from __future__ import annotations

from collections.abc import Sequence

from iptlint.dialects.detect import NFT
from iptlint.dialects.nft import syntax
from iptlint.model import Ruleset
from iptlint.source import SourceFile

_EVERYTHING = NFT
"""As in nft's language, what is not there is not there: no other file says more of a family."""

NOTHING = Ruleset(SourceFile("nothing", ""), _EVERYTHING, syntax.NFT, ())


def merged(rulesets: Sequence[Ruleset]) -> Ruleset:
    """Places in it stay places in the texts that it is made of."""
    if not rulesets:
        return NOTHING
    tables = tuple(table for ruleset in rulesets for table in ruleset.tables)
    source = next((r.source for r in rulesets if r.tables), rulesets[0].source)
    return Ruleset(source, _EVERYTHING, syntax.NFT, tables)
