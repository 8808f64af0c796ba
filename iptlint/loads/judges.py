"""Which judge a language has."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from iptlint.dialects import Reading
from iptlint.dialects.detect import EMPTY, IPTABLES_S, IPTABLES_SAVE, NFT, NFT_JSON, SCRIPT
from iptlint.loads.refusal import Load
from iptlint.loads.target import Target

Judge = Callable[[Reading, Sequence[Reading], Target | None], Load | None]


def load(
    reading: Reading, before: Sequence[Reading] = (), target: Target | None = None
) -> Load | None:
    """What the tool of the reading's language does with it on a host that has the rules of
    ``before`` and the versions of ``target``; None where nobody can say (``unjudged``)."""
    judge = _JUDGES.get(reading.ruleset.dialect)
    return judge(reading, before, target) if judge is not None else None


def _nft(reading: Reading, before: Sequence[Reading], target: Target | None) -> Load:
    from iptlint.loads.nft.judge import judge

    return judge(reading, before, target)


def unjudged(reading: Reading) -> str:
    """Why ``load`` has no answer."""
    dialect = reading.ruleset.dialect
    return _UNJUDGED.get(dialect, f"neither nft -f nor iptables-restore loads it ({dialect})")


_UNJUDGED = {
    SCRIPT: "a script is run and not loaded, so none of its commands is judged here; "
    "`iptlint check` reads them",
    NFT_JSON: "something of this JSON is not understood here, so nobody can say whether nft -j -f "
    "takes it; `iptlint check` names it",
}


def _nft_json(reading: Reading, before: Sequence[Reading], target: Target | None) -> Load | None:
    from iptlint.loads.nft.judge import judge_json

    return judge_json(reading, before, target)


def _iptables(reading: Reading, before: Sequence[Reading], target: Target | None) -> Load:
    from iptlint.loads.iptables.judge import judge

    return judge(reading, before, target)


def _empty(reading: Reading, before: Sequence[Reading], target: Target | None) -> Load:
    return Load(reading.ruleset.source, "every tool")


_JUDGES: dict[str, Judge] = {
    NFT: _nft,
    NFT_JSON: _nft_json,
    IPTABLES_SAVE: _iptables,
    IPTABLES_S: _iptables,
    EMPTY: _empty,
}
