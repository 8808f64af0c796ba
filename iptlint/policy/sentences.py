"""A host's firewall explained: as a whole, for each family, then chain by chain."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from iptlint.model import IP_VERSIONS, Family
from iptlint.netfilter.firewall import Firewall
from iptlint.policy.chain_sentences import chains_of
from iptlint.policy.explanation import ChainOf, Explanation, Sentence, WholeOf
from iptlint.policy.hosts import PolicyHost
from iptlint.policy.tests import BOTH
from iptlint.policy.whole import whole_of


def sentences_of(host: PolicyHost, *, chains: bool = True) -> Explanation:
    """``chains``: with a sentence for each rule or run of rules, too."""
    return Explanation(
        host.name,
        tuple(_whole(host)),
        tuple(_chains(host)) if chains else (),
        _notes(host),
    )


def _notes(host: PolicyHost) -> tuple[str, ...]:
    lacking = (f for f in BOTH if host.lacks_includes(f))
    return (*host.notes, *(f"{host.name}: {_UNSEEN}" for _ in islice(lacking, 1)))


_UNSEEN = "files that are included are not here; what they say is left out"


def _whole(host: PolicyHost) -> Iterator[WholeOf]:
    by_family = {family: _of_family(host, family) for family in BOTH}
    texts = [_texts(sentences) for sentences in by_family.values()]
    if texts[0] == texts[1]:
        yield WholeOf(None, by_family[Family.IP])
        return
    for family, sentences in by_family.items():
        yield WholeOf(family, sentences)


def _texts(sentences: tuple[Sentence, ...]) -> list[object]:
    return [(each.text, _texts(each.points)) for each in sentences]


def _of_family(host: PolicyHost, family: Family) -> tuple[Sentence, ...]:
    firewalls = host.firewalls(family)
    if firewalls:
        return tuple(sentence for hooks in firewalls for sentence in whole_of(hooks))
    if host.is_open(family):
        return (
            Sentence(f"There are no rules for {IP_VERSIONS[family]}: all of it is let through."),
        )
    return (Sentence(f"No rules for {IP_VERSIONS[family]} were given."),)


def _chains(host: PolicyHost) -> Iterator[ChainOf]:
    for ruleset in host.rulesets:
        if ruleset.tables:
            yield from chains_of(Firewall(ruleset))
