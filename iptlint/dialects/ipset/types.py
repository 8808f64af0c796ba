"""The types of sets, and the options of ``create`` and ``add``: one row each."""

from __future__ import annotations

from dataclasses import dataclass

from iptlint.model.sets import Dimension

MAX_NAME = 31
"""IPSET_MAXNAMELEN (include/uapi/linux/netfilter/ipset/ip_set.h) counts a NUL."""


@dataclass(frozen=True, slots=True)
class SetType:
    """``name`` is the method and, after the colon, the dimensions; ``aliases`` are older names."""

    name: str
    method: str
    dimensions: tuple[Dimension, ...]
    aliases: tuple[str, ...] = ()


def _row(name: str, *aliases: str) -> SetType:
    method, _, dimensions = name.partition(":")
    return SetType(name, method, tuple(map(Dimension, dimensions.split(","))), aliases)


TYPES = (
    _row("bitmap:ip", "ipmap"),
    _row("bitmap:ip,mac", "macipmap"),
    _row("bitmap:port", "portmap"),
    _row("hash:ip", "iphash", "iptree", "iptreemap"),
    _row("hash:mac"),
    _row("hash:ip,mac"),
    _row("hash:net", "nethash"),
    _row("hash:net,net"),
    _row("hash:ip,port", "ipporthash"),
    _row("hash:net,port", "netporthash"),
    _row("hash:ip,port,ip", "ipportiphash"),
    _row("hash:ip,port,net", "ipportnethash"),
    _row("hash:net,port,net"),
    _row("hash:net,iface", "netifacehash"),
    _row("hash:ip,mark", "ipmarkhash"),
    _row("list:set", "setlist"),
)

BY_NAME = {name: row for row in TYPES for name in (row.name, *row.aliases)}

ANY = ("bitmap", "hash", "list")
_MASKED = ("bitmap:ip", "hash:ip", "hash:ip,port", "hash:net,net")


@dataclass(frozen=True, slots=True)
class Option:
    """A keyword of ``create`` or ``add``.

    ``methods``, ``types`` and ``dimension``: the set types that know it, each where it is given.
    ``flag``: no value follows. ``numbers``: the value is one of these; ``words``: it is one of
    those; neither: it is read elsewhere. ``needs``: what the set has to be created with.
    """

    name: str
    methods: tuple[str, ...] = ANY
    flag: bool = False
    numbers: tuple[int, int] | None = None
    words: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    dimension: Dimension | None = None
    needs: str | None = None

    def fits(self, kind: SetType) -> bool:
        return (
            kind.method in self.methods
            and (not self.types or kind.name in self.types)
            and self.dimension in (None, *kind.dimensions)
        )


_U32 = (0, 2**32 - 1)
_U64 = (0, 2**64 - 1)
MAX_TIMEOUT = 2147483
"""In seconds: UINT_MAX / 1000 in the kernel (IPSET_MAX_TIMEOUT)."""

CREATE_OPTIONS = {
    option.name: option
    for option in (
        Option("family", ("hash",), words=("inet", "inet6", "ipv4", "ipv6")),
        Option("-4", ("hash",), flag=True),
        Option("-6", ("hash",), flag=True),
        Option("hashsize", ("hash",), numbers=_U32),
        Option("maxelem", ("hash",), numbers=_U32),
        Option("bucketsize", ("hash",), numbers=(0, 255)),
        Option("initval", ("hash",), numbers=_U32),
        Option("netmask", numbers=(1, 128), types=_MASKED),
        Option("bitmask", ("hash",), types=_MASKED),
        Option("markmask", ("hash",), numbers=(1, 2**32 - 1), dimension=Dimension.MARK),
        Option("probes", ("hash",), numbers=(0, 255)),
        Option("resize", ("hash",), numbers=(0, 255)),
        Option("gc", ("hash",), numbers=_U32),
        Option("forceadd", ("hash",), flag=True),
        Option("range", ("bitmap",)),
        Option("size", ("list",), numbers=_U32),
        Option("timeout", numbers=(0, MAX_TIMEOUT)),
        Option("counters", flag=True),
        Option("comment", flag=True),
        Option("skbinfo", flag=True),
    )
}

ADD_OPTIONS = {
    option.name: option
    for option in (
        Option("timeout", numbers=(0, MAX_TIMEOUT), needs="timeout"),
        Option("nomatch", ("hash",), flag=True, dimension=Dimension.NETWORK),
        Option("wildcard", ("hash",), flag=True, dimension=Dimension.INTERFACE),
        Option("packets", numbers=_U64, needs="counters"),
        Option("bytes", numbers=_U64, needs="counters"),
        Option("comment", needs="comment"),
        Option("skbmark", needs="skbinfo"),
        Option("skbprio", needs="skbinfo"),
        Option("skbqueue", numbers=(0, 65535), needs="skbinfo"),
        Option("before", ("list",)),
        Option("after", ("list",)),
    )
}
