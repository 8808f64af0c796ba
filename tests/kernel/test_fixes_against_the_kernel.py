"""No fix lets in or shuts out a packet that its finding does not name: the kernel is asked, with
the text before and the text after, about packets by chance and those that ``diff`` shows."""

from __future__ import annotations

import pytest

from iptlint.dialects import Reader
from iptlint.dialects.decode import load
from iptlint.fixes.engine import Fixed
from iptlint.fixes.proof import State
from iptlint.source import SourceFile
from tests.fixes.fixtures import CASES, Case
from tests.kernel.conftest import RecordOf, lacking
from tests.kernel.fixed import Pair, repaired, strays
from tests.kernel.restoring import Kind

_KINDS = {
    ".v4": (Kind.LEGACY, ("ip",)),
    ".v6": (Kind.LEGACY, ("ip6",)),
    ".nft": (Kind.NFT, ("ip", "ip6")),
}
_REFUSED = {"IPT001", "IPT006", "IPT503-bad.nft"}
"""Rules and cases of texts that the kernel takes only once they are fixed."""
_LOADED = [
    case
    for case in CASES
    if case.path.suffix in _KINDS and _REFUSED.isdisjoint((case.code, str(case)))
]
EVERY = 9
"""Of the fixtures one in so many, where not all are asked for."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" not in metafunc.fixturenames:
        return
    every = 1 if metafunc.config.getoption("--long", default=False) else EVERY
    metafunc.parametrize("case", _LOADED[::every], ids=str)


def test_only_what_is_named_fares_otherwise(case: Case, record_of: RecordOf) -> None:
    kind, families = _KINDS[case.path.suffix]
    if (reason := lacking(kind, families[0])) is not None:
        pytest.skip(reason)
    before = State((load(str(case.path)),), (), Reader())
    pair = Pair.of(before, repaired(before, [case.code]))
    record = record_of(f"fixes: {kind.value}")
    found = [
        stray
        for family in families
        for stray in strays(pair, kind, family, f"{case} {family}", record)
    ]
    assert not found, "\n".join(found)


ONE_PORT = """\
*filter
:INPUT DROP [0:0]
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
"""


@pytest.mark.parametrize(
    ("new", "is_stray"),
    [
        (ONE_PORT.replace("--dport 22 -j ACCEPT\nCOMMIT", "--dport 23 -j ACCEPT\nCOMMIT"), True),
        (ONE_PORT.replace("-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n", ""), True),
        (ONE_PORT.replace("-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT", "COMMIT"), False),
    ],
)
def test_a_fix_that_does_more_is_seen(new: str, is_stray: bool, record_of: RecordOf) -> None:
    before, after = (
        State((SourceFile("rules.v4", text),), (), Reader()) for text in (ONE_PORT, new)
    )
    pair = Pair.of(before, Fixed(after, (), ()))
    found = strays(pair, Kind.LEGACY, "ip", "more", record_of("fixes: more than is named"))
    assert bool(found) is is_stray
