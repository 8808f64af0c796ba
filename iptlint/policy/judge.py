"""Policy tests, judged on hosts: each for each family that it is to be proved for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from types import MappingProxyType

from iptlint.model import IP_VERSIONS, Family, Hook, Ruleset
from iptlint.netfilter.firewall import Hooks
from iptlint.policy.claims import Claim, Quantity, claims_of, speaks_of_forwarding, ways_of
from iptlint.policy.counterparts import same_as
from iptlint.policy.hosts import PolicyHost
from iptlint.policy.phrases import advice, failure, forwarding_is_left_out, held
from iptlint.policy.proving import Proof, prove
from iptlint.policy.remedies import least_change
from iptlint.policy.results import Result, Status, all_pass
from iptlint.policy.tests import PolicyFile, PolicyTest, Verb

NO_OTHERS: Mapping[str, Ruleset] = MappingProxyType({})


def judge(
    policy: PolicyFile,
    hosts: Sequence[PolicyHost],
    others: Mapping[str, Ruleset] = NO_OTHERS,
    *,
    changes: bool = True,
) -> Iterator[Result]:
    """Each test of the policy on each host that it is for. ``others``: the files of `same as`, by
    their paths as they are written. ``changes``: whether the least change is looked for where a
    test fails."""
    for host in hosts:
        tests = [test for test in policy.tests if is_for(test, host)]
        results = [each for test in tests for each in judge_one(policy, test, host, others)]
        if changes and host.reread is not None:
            failing = {result.test for result in results if not result.passes}
            holding = [test for test in tests if test not in failing]
            results = [_mended(policy, result, host, holding) for result in results]
        yield from results


def is_for(test: PolicyTest, host: PolicyHost) -> bool:
    return not test.hosts or any(fnmatchcase(host.name, pattern) for pattern in test.hosts)


def judge_one(
    policy: PolicyFile,
    test: PolicyTest,
    host: PolicyHost,
    others: Mapping[str, Ruleset] = NO_OTHERS,
) -> Iterator[Result]:
    """One test on one host."""
    if test.verb is Verb.SAME:
        yield from same_as(test, host, others.get(test.other))
        return
    for family in test.families:
        claims = [claim for claim in claims_of(test) if claim.is_of(family)]
        if claims:
            yield from _of_family(policy, test, host, family, claims)
        elif len(test.families) == 1:
            said = f"nobody is meant: the zone has no addresses of {IP_VERSIONS[family]}"
            yield Result(test, host.name, family, Status.UNPROVED, False, said)


def _of_family(
    policy: PolicyFile, test: PolicyTest, host: PolicyHost, family: Family, claims: list[Claim]
) -> Iterator[Result]:
    firewalls = host.firewalls(family)
    if not firewalls:
        yield _without_rules(test, host, family, claims)
    for hooks in firewalls:
        result = _judged(policy, test, host, hooks, claims)
        yield _unless_included(result) if host.lacks_includes(family) else result


def _unless_included(result: Result) -> Result:
    """What holds or fails as far as the files go that are here."""
    but = "unless one of the included files, which are not here, says otherwise"
    return replace(
        result,
        status=Status.UNPROVED if result.status is Status.UNPROVED else Status.POSSIBLE,
        passes=result.test.allow_possible and result.status is not Status.FAILS,
        message=f"{result.message}, {but}" if result.message else but,
    )


def _without_rules(
    test: PolicyTest, host: PolicyHost, family: Family, claims: list[Claim]
) -> Result:
    version = IP_VERSIONS[family]
    if not host.is_open(family):
        said = f"not proved for {version}: no rules for it were given"
        mend = (
            f'name its file, too; or say that it is for one family: families = ["{_other(family)}"]'
        )
        return Result(test, host.name, family, Status.UNPROVED, False, said, help=mend)
    if any(claim.quantity is Quantity.NONE for claim in claims):
        said = f"there are no rules for {version}, so all of it is let through"
        return Result(test, host.name, family, Status.FAILS, False, said, help="deny it by default")
    return Result(test, host.name, family, Status.HOLDS, True, f"there are no rules for {version}")


def _other(family: Family) -> str:
    return "ip6" if family is Family.IP else "ip"


def _judged(
    policy: PolicyFile, test: PolicyTest, host: PolicyHost, hooks: Hooks, claims: list[Claim]
) -> Result:
    """The first claim that does not hold, if one does not; one that surely does not before one
    that may."""
    ways = (test.way,) if test.way else policy.ways
    if test.way and not any(test.way in ways_of(claim, hooks, ways) for claim in claims):
        said = f"no such packet takes the way {test.way.value}"
        return Result(test, host.name, hooks.family, Status.UNPROVED, False, said)
    proofs = [prove(hooks, claim, ways) for claim in claims]
    failing = [proof for proof in proofs if not proof.holds]
    worst = min(failing, key=lambda proof: proof.may_hold, default=None)
    if worst is None:
        return _held(test, host, hooks, proofs, ways)
    status = Status.POSSIBLE if worst.may_hold else Status.FAILS
    return Result(
        test,
        host.name,
        hooks.family,
        status,
        passes=worst.may_hold and test.allow_possible,
        message=failure(hooks, worst, ways),
        way=worst.way,
        witness=worst.witness,
        decision=worst.decision,
        help=advice(hooks, worst),
        claim=worst.claim,
    )


def _held(
    test: PolicyTest, host: PolicyHost, hooks: Hooks, proofs: list[Proof], ways: Sequence[Hook]
) -> Result:
    said = [held(proof) for proof in proofs]
    if test.way is None and any(_leaves_out_forwarding(hooks, proof.claim) for proof in proofs):
        said.append(forwarding_is_left_out(hooks))
    message = "; ".join(dict.fromkeys(filter(None, said)))
    return Result(test, host.name, hooks.family, Status.HOLDS, passes=True, message=message)


def _leaves_out_forwarding(hooks: Hooks, claim: Claim) -> bool:
    if claim.quantity is Quantity.EVERY or Hook.INPUT not in ways_of(claim, hooks):
        return False
    is_host = claim.target is not None and claim.target.is_host
    return not is_host and not claim.is_elsewhere and not speaks_of_forwarding(hooks)


def _mended(
    policy: PolicyFile, result: Result, host: PolicyHost, holding: Sequence[PolicyTest]
) -> Result:
    """With the least change, where one is found and proved."""
    if result.passes or result.decision is None:
        return result

    def passes(changed: PolicyHost, test: PolicyTest) -> bool:
        results = judge_one(policy, test, changed)
        return all_pass(each for each in results if each.family in (None, result.family))

    return replace(result, change=least_change(result, host, passes, holding))
