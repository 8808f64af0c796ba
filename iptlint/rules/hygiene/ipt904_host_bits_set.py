"""An address with a mask that hides part of it: `10.0.0.1/8` is all of 10.0.0.0/8.

## What it does
Finds addresses whose mask is shorter than they are: in `-s` and `-d` of iptables, in variables of a
script that are used for nothing else, in tests, sets and defines of nft, in `add` lines of ipset.
Saved rulesets never show them, since the tools print what they made of it; hand-written ones do.

## Why it matters
The tools cut off what is behind the mask and say nothing. Whoever wrote 10.0.0.1/8 meant one host
and has let in 16 million, or meant the network and has named a host in it that means nothing.

## Example
```
-A INPUT -s 203.0.113.7/24 -p tcp -m tcp --dport 22 -j ACCEPT
```

## Fix
`-s 203.0.113.7` for the host, `-s 203.0.113.0/24` for the network.

## When it is wrong
It never changes what is loaded. Some write the router's address with the network's mask on
purpose. 127.0.0.1/8, as it stands on the loopback interface, is left alone.

## References
- iptables(8), --source: https://man7.org/linux/man-pages/man8/iptables.8.html
- RFC 4632, section 3.1: https://www.rfc-editor.org/rfc/rfc4632
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from itertools import chain
from typing import NamedTuple

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Severity
from iptlint.findings.fix import Fix
from iptlint.model import Family
from iptlint.model.addresses import AddressKind, Network, blocks
from iptlint.model.prefixes import host_bits, number
from iptlint.model.syntax import WrittenNetwork
from iptlint.rules.meta import Group, Meta
from iptlint.source import Edit

META = Meta(
    code="IPT904",
    name="host-bits-set",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.HYGIENE,
    since="0.1.0",
    fixable=True,
)

_BITS_OF_IPV4 = 32
_LOOPBACK = "127.0.0.1", "8"
"""As it stands on the interface; nobody means the one host."""


class _Hidden(NamedTuple):
    """A network whose mask hides some of its address; ``low`` and ``high``: what it means."""

    written: WrittenNetwork
    bits: int
    low: int
    high: int


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        in_text = chain.from_iterable(map(_hiding, ruleset.syntax.masked(ruleset)))
        by_place = {hidden.written.span.start: hidden for hidden in in_text}
        yield from map(_finding, by_place.values())
    yield from map(_finding, _in_ipsets(context))


def _hiding(written: WrittenNetwork) -> Iterator[_Hidden]:
    """Where the mask hides some of the address: not that of one host, which tools print."""
    if written.mask == "32" and ":" not in written.address:
        return
    low, bits = number(written.address) or (0, 0)
    hosts = host_bits(written.mask, bits) if bits else None
    if hosts and low & hosts and (written.address, written.mask) != _LOOPBACK:
        yield _Hidden(written, bits, low & ~hosts, low | hosts)


def _in_ipsets(context: Context) -> Iterator[_Hidden]:
    """What is added to sets of networks; other types count the addresses from there on."""
    sets = context.sets
    if sets is None:
        return
    from iptlint.model.sets import Dimension

    for source in dict.fromkeys(each.origin.span.source for each in sets.contents.values()):
        for name, written in sets.syntax.added_networks(source):
            contents = sets.contents.get(name)
            if contents is not None and Dimension.NETWORK in contents.dimensions:
                yield from _hiding(written)


def _finding(hidden: _Hidden) -> Finding:
    span, host, mask = hidden.written
    network = f"{_address(hidden.low, hidden.bits)}/{mask}"
    count = hidden.high - hidden.low + 1
    size = f"{count:,} addresses" if count < 1 << 33 else f"2^{count.bit_length() - 1} addresses"
    private = _private_within(hidden)
    fix = Fix(
        f"write {network}, for the network",
        (Edit(span, network),),
        safe=False,
        otherwise=f"write {host}, if the one host is meant",
    )
    return META.finding(
        span,
        f"{host}/{mask} is {network}, {size}: what {host} has behind the mask is cut off when"
        " it is loaded",
        f"write {private}, which is private; {network} has other people's addresses, too",
        likeness="host bits",
        fix=fix if private is None else None,
    )


def _private_within(hidden: _Hidden) -> Network | None:
    """The private network that the address is the first of, where the mask leads out of it: of
    192.168.0.0/8 most addresses are strangers'."""
    if hidden.bits != _BITS_OF_IPV4:
        return None
    for network in blocks(Family.IP, AddressKind.PRIVATE):
        is_first = hidden.written.address == str(network[0])
        if is_first and hidden.low < int(network[0]) and int(network[-1]) <= hidden.high:
            return network
    return None


def _address(number: int, bits: int) -> str:
    return str(ip_address(number.to_bytes(bits // 8, "big")))
