"""A script that locks its caller out on the way, or that nobody remembers after a reboot."""

from __future__ import annotations

from tests.mutations.edits import Delete, InsertAfter, Mutation, Replace, Swap
from tests.mutations.lines import SCRIPT

_OPEN = "iptables -P INPUT ACCEPT"
_CLOSED = "iptables -P INPUT DROP"
_ESTABLISHED = "iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"
_SAVED = "iptables-save > /etc/iptables/rules.v4"
_SAVED_NFT = "nft list ruleset > /etc/nftables.conf"

ROWS = (
    Mutation("IPT303", SCRIPT, Replace(_OPEN, f"{_CLOSED}\n{_OPEN.replace('INPUT', 'OUTPUT')}")),
    Mutation("IPT303", SCRIPT, InsertAfter("iptables -F", _CLOSED)),
    Mutation("IPT303", SCRIPT, Swap(_CLOSED, _ESTABLISHED)),
    Mutation("IPT304", SCRIPT, InsertAfter(_CLOSED, "iptables -F INPUT")),
    Mutation("IPT304", SCRIPT, InsertAfter(_CLOSED, "iptables -F")),
    Mutation("IPT304", SCRIPT, InsertAfter(_SAVED, "iptables -F")),
    Mutation("IPT403", "rules/IPT403/good_saved.sh", Delete(_SAVED)),
    Mutation("IPT403", "rules/IPT403/good_saved_nft.sh", Delete(_SAVED_NFT)),
)
