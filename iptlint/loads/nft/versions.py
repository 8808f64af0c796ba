"""What each version of nft and of Linux brought, and where a file uses it.

``nft`` is the release that first has the commit; ``kernel`` the release whose changelog has it.
Where a tool took a word before the kernel knew what it means, both stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.walking import everything
from iptlint.loads.nft import checks
from iptlint.loads.nft.trial import Trial
from iptlint.loads.refusal import Stage
from iptlint.loads.target import Target, Version, spelled
from iptlint.source import SourceFile

Uses = Callable[[t.Node], bool]


@dataclass(frozen=True, slots=True)
class Feature:
    """``what`` is the subject of a sentence; ``decided``: the commits that brought it."""

    what: str
    nft: Version | None
    kernel: Version | None
    decided: str
    uses: Uses
    stage: Stage = Stage.READING


def _verb(verb: str) -> Uses:
    return lambda node: isinstance(node, t.Command) and node.verb == verb


def _kind(*kinds: type[t.Node]) -> Uses:
    return lambda node: isinstance(node, kinds)


def _header(*protocols: str) -> Uses:
    return lambda node: isinstance(node, t.Payload) and node.protocol in protocols


def _hook(name: str, family: str | None = None) -> Uses:
    return lambda node: isinstance(node, t.Hook) and node.hook.text == name


def _inner(node: t.Node) -> bool:
    return isinstance(node, t.Payload) and node.tunnel is not None


def _option(protocol: str) -> Uses:
    return lambda node: isinstance(node, t.HeaderOption) and node.protocol == protocol


def _meta(*keys: str) -> Uses:
    return lambda node: isinstance(node, t.Meta) and node.key in keys


def _flag(name: str) -> Uses:
    """Of a table: sets have no flag of these names."""
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


FEATURES = (
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
        "nft 1.1.4",
        lambda node: isinstance(node, t.Fib) and node.result == "check",
    ),
    Feature("flag owner", (0, 9, 9), (5, 12), "nft 6d085b22, Linux 6001a930ce03", _flag("owner")),
    Feature("flag persist", (1, 1, 0), (6, 9), "nft 1.1.0, Linux da5141bbe0c2", _flag("persist")),
    Feature(
        "a chain without a name",
        (0, 9, 7),
        (5, 9),
        "nft c330152b, Linux d0e2c7de92c7",
        _kind(t.JumpBlock),
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
        "a chain of several devices", (0, 9, 3), (5, 5), "Linux d54725cd11a5", _several_devices
    ),
)


def check_versions(file: t.NftFile, target: Target, trial: Trial) -> None:
    """A refusal for each use of what the target does not have yet."""
    lacking = [
        (feature, lack) for feature in FEATURES if (lack := _lack(feature, target)) is not None
    ]
    if not lacking:
        return
    for source, node in _nodes(file.source, file.items):
        for feature, lack in lacking:
            if feature.uses(node):
                check = checks.version(feature.decided, feature.stage)
                trial.refuse(check, source, _place(node), *lack)


def _lack(feature: Feature, target: Target) -> tuple[str, str] | None:
    needs = []
    if target.nft is not None and feature.nft is not None and target.nft < feature.nft:
        needs.append(f"nft {spelled(feature.nft)}: {target.name} has {spelled(target.nft)}")
    if target.kernel is not None and feature.kernel is not None and target.kernel < feature.kernel:
        has = spelled(target.kernel)
        needs.append(f"Linux {spelled(feature.kernel)}: {target.name} has {has}")
    if not needs:
        return None
    return f"{feature.what} needs {', and '.join(needs)}", "do without it, or use later versions"


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
    """Of a command its name: the rest may be many lines."""
    return node.path[-1] if isinstance(node, t.Command) and node.path else node
