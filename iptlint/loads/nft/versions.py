"""What each version of nft and of Linux brought, and where a file uses it.

``nft`` is the release that first has the commit (``git describe --contains`` in its repository);
``kernel`` the release whose changelog has it.
Where a tool took a word before the kernel knew what it means, both stand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.walking import everything
from iptlint.loads.nft import checks
from iptlint.loads.nft.features import Feature, Uses
from iptlint.loads.nft.trial import Trial
from iptlint.loads.refusal import Stage
from iptlint.loads.target import Target
from iptlint.source import SourceFile


def _verb(verb: str) -> Uses:
    return lambda node: isinstance(node, t.Command) and node.verb == verb


def _kind(*kinds: type[t.Node]) -> Uses:
    return lambda node: isinstance(node, kinds)


def _header(*protocols: str) -> Uses:
    return lambda node: isinstance(node, t.Payload) and node.protocol in protocols


def _hook(name: str) -> Uses:
    return lambda node: isinstance(node, t.Hook) and node.hook.text == name


def _inet_ingress(node: t.Node) -> bool:
    """A base chain at ingress in an inet table; a flowtable's hook has no type."""
    return (
        isinstance(node, t.Command)
        and node.family == "inet"
        and any(
            isinstance(each, t.Hook) and each.type is not None and each.hook.text == "ingress"
            for each in everything(node)
        )
    )


def _concatenated_ranges(node: t.Node) -> bool:
    """A set of intervals whose key has several parts."""
    if not isinstance(node, t.Command) or node.kind not in ("set", "map"):
        return False
    body = node.body or ()
    keys = [item.key for item in body if isinstance(item, t.KeyType | t.KeyLike)]
    several = any(isinstance(key, t.Concat) or (isinstance(key, tuple) and key[1:]) for key in keys)
    return several and any(map(_flag("interval"), body))


def _inner(node: t.Node) -> bool:
    return isinstance(node, t.Payload) and node.tunnel is not None


def _option(protocol: str) -> Uses:
    return lambda node: isinstance(node, t.HeaderOption) and node.protocol == protocol


def _meta(*keys: str) -> Uses:
    return lambda node: isinstance(node, t.Meta) and node.key in keys


def _flag(name: str) -> Uses:
    return lambda node: isinstance(node, t.Flags) and name in [flag.text for flag in node.flags]


def _nat_name_elsewhere(node: t.Node) -> bool:
    """``priority dstnat`` at output, ``priority srcnat`` at input."""
    if not isinstance(node, t.Hook) or node.priority is None:
        return False
    base = node.priority.base
    name = base.text if isinstance(base, t.Value) else ""
    return (node.hook.text, name) in (("output", "dstnat"), ("input", "srcnat"))


def _several_devices(node: t.Node) -> bool:
    return isinstance(node, t.Hook) and isinstance(node.devices, t.SetLiteral) and bool(node.type)


def _devices_alone(node: t.Node) -> bool:
    """``add chain … { devices = … }``, which gives it more of them."""
    return (
        isinstance(node, t.Command)
        and node.kind == "chain"
        and any(isinstance(item, t.Devices) for item in node.body or ())
    )


def _deleted_block(node: t.Node) -> bool:
    """``delete chain … { devices = … }`` takes devices out of it."""
    return (
        isinstance(node, t.Command)
        and node.verb in ("delete", "destroy")
        and node.kind == "chain"
        and node.body is not None
    )


def _reset(*kinds: str) -> Uses:
    return lambda node: isinstance(node, t.Command) and node.verb == "reset" and node.kind in kinds


def _maps_like_to_objects(node: t.Node) -> bool:
    """``typeof ip saddr : counter``; by its name the type may be of some of them before."""
    data = node.data if isinstance(node, t.KeyLike) else None
    return isinstance(data, t.Value) and data.text in _KINDS


_KINDS = ("counter", "limit", "quota", "synproxy", "secmark", "ct timeout", "ct expectation")


def _collects_in_a_map(node: t.Node) -> bool:
    return (
        isinstance(node, t.Command)
        and node.kind == "map"
        and any(
            isinstance(each, t.Property) and each.name == "gc-interval" for each in node.body or ()
        )
    )


def _reckons_with_a_field(node: t.Node) -> bool:
    """``meta mark | ct mark``: before, only numbers stood behind such an operator."""
    return isinstance(node, t.Bitwise) and any(
        isinstance(each, t.Selector) for each in everything(node.right)
    )


FEATURES = (
    Feature(
        "reckoning with two fields",
        (1, 1, 2),
        (6, 13),
        "the announcement of nft 1.1.2, Linux b0ccf4f53d96",
        _reckons_with_a_field,
        Stage.EVALUATION,
    ),
    Feature(
        "a map to objects by typeof",
        (1, 1, 0),
        None,
        "nft bb2054cf, acbac5e3, 25f1e6cc",
        _maps_like_to_objects,
    ),
    Feature("reset rules", (1, 0, 7), None, "nft 1694df2d", _reset("rule", "rules")),
    Feature("reset of a set", (1, 0, 8), (6, 5), "nft 83e0f440", _reset("set", "map", "element")),
    Feature("gc-interval of a map", (1, 0, 9), None, "nft 61eab46e", _collects_in_a_map),
    Feature(
        "a block of a chain that is deleted",
        (1, 0, 8),
        None,
        "nft a66b5ad9540d",
        _deleted_block,
    ),
    Feature(
        "a block that gives a chain devices",
        (1, 0, 8),
        (6, 4),
        "nft a66b5ad9540d, Linux b9703ed44ffb",
        _devices_alone,
    ),
    Feature("destroy", (1, 0, 7), (6, 3), "nft e1dfd5cc, Linux f80a612dd77c", _verb("destroy")),
    Feature("last", (1, 0, 7), (5, 14), "nft 2b41e3c4, Linux 836382dc2471", _kind(t.Last)),
    Feature(
        "a test of what a tunnel carries",
        (1, 0, 7),
        (6, 2),
        "nft 772892a0, Linux 3a07327d10a0",
        _inner,
    ),
    Feature(
        "a test of gre, vxlan or geneve",
        (1, 0, 7),
        (6, 2),
        "nft c1f92755, 772892a0, 156d2265",
        _header("gre", "vxlan", "geneve"),
    ),
    Feature(
        "priority dstnat at output, srcnat at input",
        (1, 0, 9),
        None,
        "nft 8beafab7",
        _nat_name_elsewhere,
        Stage.EVALUATION,
    ),
    Feature(
        "an element with a quota, or with last",
        (1, 0, 7),
        None,
        "nft 9cb50116",
        lambda node: (
            isinstance(node, t.Element)
            and any(isinstance(extra, t.Quota | t.Last) for extra in node.extras)
        ),
    ),
    Feature(
        "icmpv6 taddr, or daddr",
        (1, 0, 9),
        None,
        "nft 2e86f45d0260",
        lambda node: (
            isinstance(node, t.Payload)
            and (node.protocol, node.field) in (("icmpv6", "taddr"), ("icmpv6", "daddr"))
        ),
    ),
    Feature("dccp option", (1, 0, 8), (6, 5), "nft 6ab0fd6c, Linux b9f9a485fb0e", _option("dccp")),
    Feature("meta broute", (1, 0, 8), (6, 4), "nft 97672e54, Linux 4386b9218577", _meta("broute")),
    Feature(
        "reset tcp option",
        (1, 0, 3),
        (5, 18),
        "nft 5d837d27, Linux 7890cbea66e7",
        _kind(t.StripOption),
    ),
    Feature("hook egress", (1, 0, 1), (5, 16), "nft 510c4fad, Linux 42df6e1d221d", _hook("egress")),
    Feature(
        "an element for everything else",
        (0, 9, 9),
        (5, 13),
        "nft 419d1968, Linux aaa31047a6d2",
        _kind(t.Everything),
    ),
    Feature("sctp chunk", (0, 9, 9), (5, 14), "nft 0e3871cf, Linux 133dc203d77d", _option("sctp")),
    Feature(
        "socket cgroupv2",
        (0, 9, 9),
        (5, 13),
        "nft 38228087, Linux e0bb96db96f8",
        lambda node: isinstance(node, t.Socket) and node.key == "cgroupv2",
    ),
    Feature(
        "fib … check",
        (1, 1, 4),
        None,
        "the announcement of nft 1.1.4",
        lambda node: isinstance(node, t.Fib) and node.result == "check",
    ),
    Feature("flag owner", (0, 9, 9), (5, 12), "nft 6d085b22, Linux 6001a930ce03", _flag("owner")),
    Feature(
        "flag persist", (1, 1, 0), (6, 9), "nft 4955ae1a, Linux da5141bbe0c2", _flag("persist")
    ),
    Feature(
        "a chain without a name",
        (0, 9, 7),
        (5, 9),
        "nft c330152b, Linux d0e2c7de92c7",
        _kind(t.JumpBlock),
    ),
    Feature(
        "a set of intervals with several parts",
        (0, 9, 4),
        (5, 6),
        "nft 8ac2f3b2, Linux 3c4287f62044",
        _concatenated_ranges,
    ),
    Feature(
        "hook ingress in an inet table",
        (0, 9, 7),
        (5, 10),
        "nft b4775dec, Linux d3519cb89f6d",
        _inet_ingress,
    ),
    Feature("typeof", (0, 9, 4), None, "nft 14357cff", _kind(t.KeyLike)),
    Feature(
        "a test of the VRF of an interface",
        (0, 9, 4),
        (5, 6),
        "nft 09fcaafc",
        _meta("sdif", "sdifname"),
    ),
    Feature(
        "a chain of several devices",
        (0, 9, 3),
        (5, 5),
        "nft 3fdc7541, Linux d54725cd11a5",
        _several_devices,
    ),
)


def check_versions(file: t.NftFile, target: Target, trial: Trial) -> None:
    """A refusal for each use of what the target does not have yet."""
    lacking = [
        (feature, lack) for feature in FEATURES if (lack := feature.lack(target)) is not None
    ]
    if not lacking:
        return
    for source, node in _nodes(file.source, file.items):
        for feature, lack in lacking:
            if feature.uses is not None and feature.uses(node):
                check = checks.version(feature.decided, feature.stage)
                trial.refuse(check, source, _place(node), *lack)


def _nodes(source: SourceFile, items: Sequence[t.Item]) -> Iterator[tuple[SourceFile, t.Node]]:
    for item in items:
        if isinstance(item, t.Include):
            for file in item.files:
                yield from _nodes(file.source, file.items)
            continue
        for node in everything(item):
            yield source, node
            if isinstance(node, t.Include):
                for file in node.files:
                    yield from _nodes(file.source, file.items)


def _place(node: t.Node) -> t.Node:
    """Of a command its name, or its devices: the rest may be many lines."""
    if not isinstance(node, t.Command) or not node.path:
        return node
    adds = node.verb not in ("delete", "destroy")
    devices = (item for item in node.body or () if adds and isinstance(item, t.Devices))
    return next(devices, node.path[-1])
