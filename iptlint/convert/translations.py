"""Targets of the table nat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_network
from typing import cast

from iptlint.convert.asking import Asking, Done, Target, Targets
from iptlint.dialects.iptables.extensions.builders import value_of
from iptlint.dialects.iptables.extensions.row import Uses
from iptlint.dialects.nft.writing.values import NoFormError
from iptlint.model import Effect, Family, Field, Hook, Rule

_FLAGS = {"random": "random", "random-fully": "fully-random", "persistent": "persistent"}


def _flags(uses: Uses) -> str:
    words = ",".join(word for option, word in _FLAGS.items() if option in uses)
    return f" {words}" if words else ""


def _ports(text: object) -> str:
    if "/" in str(text or ""):
        raise NoFormError("nft has no base to count ports from")
    return f":{text}" if text else ""


def _to(name: str, option: str) -> Target:
    def row(uses: Uses, asking: Asking, _: Sequence[Effect]) -> Done:
        addresses, ports = cast("tuple[str, str]", value_of(uses, option))
        behind = _ports(ports)
        shown = addresses
        if asking.family is Family.IP6 and ports and addresses:
            shown = "-".join(f"[{end}]" for end in addresses.split("-"))
        where = f"{shown}{behind}"
        return Done(f"{name} {asking.to_family}to {where}{_flags(uses)}")

    return row


def _own_address(name: str) -> Target:
    def row(uses: Uses, *_: object) -> Done:
        ports = _ports(value_of(uses, "to-ports"))
        return Done(f"{name}{f' to {ports}' if ports else ''}{_flags(uses)}")

    return row


_DESTINATION = (Hook.PREROUTING, Hook.OUTPUT)


def _netmap(uses: Uses, asking: Asking, _: Sequence[Effect]) -> Done:
    """The hook says whether it is the destination or the source that gets another network."""
    if asking.chain.hook is None:
        raise NoFormError("whether --to is for the source or the destination, the hook says")
    network = ip_network(str(value_of(uses, "to")), strict=False)
    name = "dnat" if asking.chain.hook in _DESTINATION else "snat"
    if network.num_addresses == 1:
        return Done(f"{name} {asking.to_family}to {network[0]}")
    return Done(f"{name} {asking.ip} prefix to {network}")


_SIDES = {
    "dnat": (Field.DADDR, Field.DADDR6, Field.CT_DNAT),
    "snat": (Field.SADDR, Field.SADDR6, Field.CT_SNAT),
}


def at_hook(rule: Rule, hook: Hook | None) -> Rule:
    """What NETMAP does in a chain of the hook (xt_NETMAP.c)."""
    name = "dnat" if hook in _DESTINATION else "snat"
    effects = tuple(effect for effect in rule.effects if effect.field in _SIDES[name])
    network = ip_network(rule.verdict.options.removeprefix("--to "), strict=False)
    ends = "-".join(dict.fromkeys((str(network[0]), str(network[-1]))))
    form = "prefix " if network.num_addresses > 1 else ""
    return replace(
        rule, effects=effects, verdict=replace(rule.verdict, words=f"{name} to {form}{ends}")
    )


TRANSLATIONS: Targets = {
    "SNAT": _to("snat", "to-source"),
    "DNAT": _to("dnat", "to-destination"),
    "MASQUERADE": _own_address("masquerade"),
    "REDIRECT": _own_address("redirect"),
    "NETMAP": _netmap,
}
