"""``--long``: hundreds of rulesets of each kind. Without root, tools or modules all is skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import pytest

from tests.kernel.firewall import KernelFirewall, missing
from tests.kernel.record import PROPERTY, Record
from tests.kernel.restoring import Kind
from tests.kernel.topology import Topology
from tests.kernel.trial import load

RecordOf = Callable[[str], Record]


@pytest.fixture(autouse=True)
def _possible() -> None:
    if (reason := _reason()) is not None:
        pytest.skip(reason)


_reason = cache(missing)


@pytest.fixture
def record_of(
    record_property: Callable[[str, object], None],
) -> Iterator[RecordOf]:
    """The record of the name, to be written in by the test."""
    records: dict[str, Record] = {}
    yield lambda name: records.setdefault(name, Record())
    for name, record in records.items():
        record_property(PROPERTY + name, record.as_text())


@pytest.fixture
def firewall() -> Iterator[KernelFirewall]:
    made = KernelFirewall()
    yield made
    made.close()


@pytest.fixture
def topology() -> Iterator[Topology]:
    """A host between networks."""
    if (reason := no_topology()) is not None:
        pytest.skip(reason)
    made = Topology()
    yield made
    made.close()


@cache
def no_topology() -> str | None:
    """Why there can be no host between networks here; None where there can."""
    try:
        Topology().close()
    except (OSError, RuntimeError) as error:
        return f"the kernel gives no host between networks: {error}"
    return None


PROBE = """*filter
:INPUT ACCEPT [0:0]
-A INPUT -p tcp -m conntrack --ctstate NEW -m multiport --dports 22,80 -m comment --comment x
-A INPUT -m iprange --src-range {range} -m mark --mark 1 -m limit --limit 5/min -j LOG
-A INPUT -m string --string x --algo bm -m recent --rcheck --name bad --rsource -j REJECT
COMMIT
*mangle
:PREROUTING ACCEPT [0:0]
-A PREROUTING -j MARK --set-xmark 0x1/0x1
COMMIT
*raw
:PREROUTING ACCEPT [0:0]
-A PREROUTING -j NOTRACK
COMMIT
"""
_PROBES = {
    "ip": PROBE.format(range="192.0.2.1-192.0.2.2"),
    "ip6": PROBE.format(range="2001:db8::1-2001:db8::2"),
}


@cache
def lacking(kind: Kind, family: str) -> str | None:
    """Why rulesets of the kind cannot be loaded here; None where they can."""
    if kind is Kind.NFT:
        return None
    made = KernelFirewall()
    try:
        load(made, _PROBES[family], kind, family)
    except RuntimeError as error:
        return f"{kind.value} lacks something: {str(error).splitlines()[0]}"
    finally:
        made.close()
    return None
