"""Which versions a file is for: those that are named, or those of a distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from iptlint.model.numbers import decimal

Version = tuple[int, ...]


class UnknownTargetError(ValueError):
    """The text names no version and no distribution; it says what does."""


@dataclass(frozen=True, slots=True)
class Target:
    """None: nothing is said of that one's version. ``name``: what messages call it."""

    name: str
    nft: Version | None = None
    kernel: Version | None = None
    iptables: Version | None = None


def _row(name: str, nft: str, kernel: str | None, iptables: str) -> Target:
    return Target(name, _version(nft), _version(kernel) if kernel else None, _version(iptables))


def _version(text: str) -> Version:
    numbers = tuple(decimal(part) for part in text.split("."))
    known = tuple(number for number in numbers if number is not None)
    if len(known) != len(numbers):
        raise UnknownTargetError(f"{text!r} is no version: write one such as 1.0.6")
    return known


DISTRIBUTIONS: Mapping[str, Target] = {
    target.name: target
    for target in (
        _row("debian-11", "0.9.8", "5.10", "1.8.7"),
        _row("debian-12", "1.0.6", "6.1", "1.8.9"),
        _row("debian-13", "1.1.3", "6.12", "1.8.11"),
        _row("ubuntu-20.04", "0.9.3", "5.4", "1.8.4"),
        _row("ubuntu-22.04", "1.0.2", "5.15", "1.8.7"),
        _row("ubuntu-24.04", "1.0.9", "6.8", "1.8.10"),
        _row("rhel-8", "1.0.4", None, "1.8.5"),
        _row("rhel-9", "1.0.9", None, "1.8.10"),
        _row("alpine-3.19", "1.0.9", "6.6", "1.8.10"),
        _row("alpine-3.20", "1.0.9", "6.6", "1.8.10"),
        _row("alpine-3.21", "1.1.1", "6.12", "1.8.11"),
        _row("openwrt-22.03", "1.0.2", "5.10", "1.8.7"),
        _row("openwrt-23.05", "1.0.8", "5.15", "1.8.8"),
        _row("openwrt-24.10", "1.1.1", "6.6", "1.8.10"),
    )
}
"""What each has in its last point release, by its own list of packages. The kernels of RHEL have
much of later ones, so nothing is said of theirs."""

_TOOLS = ("nft", "kernel", "iptables")


def target_of(text: str) -> Target:
    """``debian-12``, or ``nft=1.0.6,kernel=5.10``; UnknownTargetError for anything else."""
    if text in DISTRIBUTIONS:
        return DISTRIBUTIONS[text]
    versions: dict[str, Version] = {}
    for part in text.split(","):
        tool, equals, version = part.strip().partition("=")
        if not equals or tool not in _TOOLS:
            known = ", ".join(DISTRIBUTIONS)
            raise UnknownTargetError(
                f"{part!r} is no target: write nft=1.0.6,kernel=5.10, or one of {known}"
            )
        versions[tool] = _version(version)
    return Target("the target", **versions)


def spelled(version: Version) -> str:
    return ".".join(map(str, version))
