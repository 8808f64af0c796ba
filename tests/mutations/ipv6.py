"""IPv6, of which nobody thought."""

# ruff: noqa: E501 (a line of a ruleset is as long as it is)
from __future__ import annotations

from tests.mutations.edits import Delete, InsertAfter, Mutation, Replace
from tests.mutations.lines import (
    CLOSED6,
    DOCKER6,
    FORWARD_ESTABLISHED,
    LOOPBACK,
    NFT_CLOSED,
    NFT_LOOPBACK,
    NFT_SERVER,
    ROUTER6,
    SERVER6,
)

ROWS = (
    Mutation("IPT701", SERVER6, Replace(":INPUT DROP [0:0]", ":INPUT ACCEPT [0:0]")),
    Mutation("IPT701", CLOSED6, Replace(":INPUT DROP [0:0]", ":INPUT ACCEPT [0:0]")),
    Mutation(
        "IPT701",
        CLOSED6,
        InsertAfter(
            '-A INPUT -s 2001:db8:9::/48 -p tcp -m tcp --dport 22 -m comment --comment "SSH" -j ACCEPT',
            "-A INPUT -j ACCEPT",
        ),
    ),
    Mutation("IPT701", DOCKER6, Replace(":INPUT DROP [0:0]", ":INPUT ACCEPT [0:0]")),
    Mutation("IPT701", ROUTER6, Replace(":INPUT DROP [0:0]", ":INPUT ACCEPT [0:0]")),
    Mutation(
        "IPT702", SERVER6, Delete("-A ICMP6 -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j ACCEPT")
    ),
    Mutation(
        "IPT702",
        CLOSED6,
        Delete('-A INPUT -p ipv6-icmp -m comment --comment "neighbours, errors, ping" -j ACCEPT'),
    ),
    Mutation("IPT702", DOCKER6, Delete("-A INPUT -p ipv6-icmp -j ACCEPT")),
    Mutation(
        "IPT702",
        ROUTER6,
        Replace(
            "-A INPUT -p ipv6-icmp -j ACCEPT",
            "-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 128 -j ACCEPT",
        ),
    ),
    Mutation(
        "IPT702",
        NFT_SERVER,
        Delete(
            "icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255 accept"
        ),
    ),
    Mutation(
        "IPT703",
        ROUTER6,
        Replace(
            FORWARD_ESTABLISHED,
            "-A FORWARD -p ipv6-icmp -m icmp6 --icmpv6-type 2 -j DROP\n" + FORWARD_ESTABLISHED,
        ),
    ),
    Mutation(
        "IPT703",
        SERVER6,
        InsertAfter(LOOPBACK, "-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 2 -j DROP"),
    ),
    Mutation(
        "IPT703",
        CLOSED6,
        InsertAfter(LOOPBACK, "-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 2 -j DROP"),
    ),
    Mutation("IPT703", NFT_SERVER, InsertAfter(NFT_LOOPBACK, "icmpv6 type packet-too-big drop")),
    Mutation(
        "IPT703",
        NFT_CLOSED,
        InsertAfter('iifname "lo" accept', "icmpv6 type { packet-too-big, time-exceeded } drop"),
    ),
    Mutation(
        "IPT704",
        CLOSED6,
        Delete(
            '-A INPUT -s fe80::/10 -p udp -m udp --sport 547 --dport 546 -m comment --comment "DHCPv6" -j ACCEPT'
        ),
    ),
    Mutation(
        "IPT704",
        CLOSED6,
        Replace(
            '-A INPUT -s fe80::/10 -p udp -m udp --sport 547 --dport 546 -m comment --comment "DHCPv6" -j ACCEPT',
            '-A INPUT -s fe80::/10 -p udp -m udp --sport 546 --dport 547 -m comment --comment "DHCPv6" -j ACCEPT',
        ),
    ),
    Mutation(
        "IPT704", NFT_CLOSED, Delete("ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept")
    ),
    Mutation(
        "IPT704",
        NFT_CLOSED,
        Replace(
            "ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept",
            "ip6 saddr fe80::/10 udp dport 547 accept",
        ),
    ),
    Mutation(
        "IPT702",
        SERVER6,
        Replace(
            "*filter",
            "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j DROP\nCOMMIT\n*filter",
        ),
        also=("IPT101",),
        why="the rule that lets solicitations in gets none any more",
    ),
    Mutation(
        "IPT703",
        SERVER6,
        Replace(
            "*filter",
            "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p ipv6-icmp -m icmp6 --icmpv6-type 2 -j DROP\nCOMMIT\n*filter",
        ),
    ),
    Mutation(
        "IPT705", "rules/IPT705/good_off.sh", Delete("sysctl -w net.ipv6.conf.all.disable_ipv6=1")
    ),
    Mutation("IPT705", "rules/IPT705/good_word.sh", Delete("# The provider gives no IPv6.")),
    Mutation(
        "IPT706",
        "rules/IPT706/good.nft",
        Delete("icmpv6 type { mld-listener-query, mld2-listener-report } accept"),
    ),
    Mutation(
        "IPT706",
        "rules/IPT706/good_l4proto.nft",
        Replace(
            "meta l4proto ipv6-icmp accept",
            "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, packet-too-big } accept\nip6 nexthdr ipv6-icmp accept",
        ),
    ),
)
