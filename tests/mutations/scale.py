"""Lists that grew by hand."""

# ruff: noqa: E501 (a line of a ruleset is as long as it is)
from __future__ import annotations

from collections.abc import Callable

from tests.mutations.edits import Delete, InsertAfter, Mutation, Replace
from tests.mutations.lines import (
    BANS,
    NFT_CLOSED,
    NFT_PROMETHEUS,
    NFT_ROUTER,
    NFT_SERVER,
    ROUTER4,
    SERVER4,
    SERVER6,
    SSH4,
    SSH6,
)


def many(count: int, line: Callable[[int], str]) -> str:
    return "\n".join(map(line, range(count)))


ROWS = (
    Mutation(
        "IPT501",
        SERVER4,
        InsertAfter(BANS, many(6, lambda i: f"-A INPUT -s 192.0.2.{i * 9 + 3}/32 -j DROP")),
    ),
    Mutation(
        "IPT501",
        SERVER6,
        InsertAfter(
            SSH6,
            many(
                7,
                lambda i: (
                    f"-A INPUT -s 2001:db8:{i * 9 + 3}::/48 -p tcp -m tcp --dport 22 -j ACCEPT"
                ),
            ),
        ),
    ),
    Mutation(
        "IPT501",
        ROUTER4,
        InsertAfter(
            "-A FORWARD -i br-lan -o br-dmz -j ACCEPT",
            many(
                6,
                lambda i: (
                    f"-A FORWARD -i ppp0 -d 192.168.20.{i * 9 + 40}/32 -p tcp -m tcp --dport 993 -j ACCEPT"
                ),
            ),
        ),
    ),
    Mutation(
        "IPT501",
        NFT_SERVER,
        InsertAfter(
            "ip6 saddr @banned6 drop", many(6, lambda i: f"ip saddr 192.0.2.{i * 9 + 3} drop")
        ),
    ),
    Mutation(
        "IPT502",
        SERVER4,
        InsertAfter(
            SSH4,
            many(
                5,
                lambda i: (
                    f"-A INPUT -s 10.20.0.0/24 -p tcp -m tcp --dport {9000 + i * 5} -j ACCEPT"
                ),
            ),
        ),
    ),
    Mutation(
        "IPT502",
        SERVER6,
        InsertAfter(
            SSH6, many(5, lambda i: f"-A INPUT -p tcp -m tcp --dport {9001 + i * 5} -j ACCEPT")
        ),
    ),
    Mutation(
        "IPT502",
        NFT_SERVER,
        InsertAfter(
            NFT_PROMETHEUS,
            many(5, lambda i: f"ip saddr 10.20.0.0/24 tcp dport {9001 + i * 5} accept"),
        ),
    ),
    Mutation(
        "IPT502",
        NFT_ROUTER,
        InsertAfter(
            "tcp dport { 22, 53, 443 } accept",
            many(5, lambda i: f"udp dport {9001 + i * 5} accept"),
        ),
    ),
    Mutation(
        "IPT503",
        SERVER4,
        Replace(SSH4, SSH4.replace("198.51.100.0/24", "198.51.100.0/24,198.51.100.7/32")),
    ),
    Mutation(
        "IPT503", SERVER6, Replace(SSH6, SSH6.replace("51::/48", "51::/48,2001:db8:51:7::/64"))
    ),
    Mutation(
        "IPT503",
        NFT_SERVER,
        Replace(
            "elements = { 203.0.113.0/25, 203.0.113.200 }",
            "elements = { 203.0.113.0/25, 203.0.113.7 }",
        ),
    ),
    Mutation(
        "IPT503",
        NFT_ROUTER,
        Replace("tcp dport { 22, 53, 443 } accept", "tcp dport { 22, 20-25, 53, 443 } accept"),
    ),
    Mutation(
        "IPT504",
        SERVER4,
        InsertAfter(
            BANS,
            many(
                210,
                lambda i: (
                    f"-A INPUT -s 10.7.{i}.0/24 -p tcp -m tcp --dport {3000 + i * 7} -j ACCEPT"
                ),
            ),
        ),
    ),
    Mutation(
        "IPT504",
        SERVER6,
        InsertAfter(
            SSH6,
            many(
                210,
                lambda i: (
                    f"-A INPUT -s 2001:db8:{i + 100:x}::/48 -p tcp -m tcp --dport {3000 + i * 7} -j ACCEPT"
                ),
            ),
        ),
    ),
    Mutation(
        "IPT505",
        NFT_CLOSED,
        Replace(
            "tcp dport https accept",
            "ip daddr 192.0.2.1 accept\nip daddr 192.0.2.2 drop\nip daddr 192.0.2.3 accept\nip daddr 192.0.2.4 drop",
        ),
    ),
    Mutation(
        "IPT505",
        NFT_ROUTER,
        Replace(
            "iifname vmap { $lan : jump from_lan, $wan : jump from_wan }",
            'iifname $lan jump from_lan\niifname $wan jump from_wan\niifname "br-lab" goto from_lan\niifname "tun7" goto from_wan',
        ),
    ),
    Mutation("IPT506", "rules/IPT506/good.nft", Delete("tcp dport 25 drop")),
    Mutation(
        "IPT506",
        SERVER4,
        Replace("-A WEB -j ACCEPT", "-A WEB -m limit --limit 5/min -j DROP\n-A WEB -j ACCEPT"),
    ),
)
