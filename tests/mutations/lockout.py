"""Who sits before a host that no longer answers."""

# ruff: noqa: E501 (a line of a ruleset is as long as it is)
from __future__ import annotations

from ipaddress import ip_network

from iptlint.analysis.session import Settings
from tests.mutations.edits import Delete, InsertAfter, Mutation, Replace
from tests.mutations.lines import (
    BANS,
    CLOSED4,
    CLOSED6,
    DOCKER4,
    ESTABLISHED,
    LOOPBACK,
    NFT_CLOSED,
    NFT_SERVER,
    OUT_ESTABLISHED,
    ROUTER4,
    SERVER4,
    SERVER6,
    SSH4,
    SSH6,
)

OFFICE = Settings(
    management_networks=(ip_network("198.51.100.0/24"), ip_network("2001:db8:51::/48"))
)
DATABASE = Settings(management_networks=(ip_network("10.9.0.0/24"), ip_network("2001:db8:9::/64")))

ROWS = (
    Mutation(
        "IPT301",
        SERVER4,
        Replace(ESTABLISHED, ESTABLISHED.replace("ACCEPT", "DROP")),
        also=("IPT201",),
        why="answers to what the host itself opens are lost too",
    ),
    Mutation(
        "IPT301",
        CLOSED4,
        Delete(OUT_ESTABLISHED),
        also=("IPT201",),
        why="the SYN-ACK is an answer like any other",
    ),
    Mutation(
        "IPT301",
        ROUTER4,
        Replace(
            "-A from_lan -p tcp -m multiport --dports 22,53,443 -j ACCEPT",
            "-A from_lan -p tcp -m multiport --dports 53,443 -j ACCEPT",
        ),
    ),
    Mutation(
        "IPT301",
        DOCKER4,
        Replace(
            "-A INPUT -s 198.51.100.0/24 -i eth0 -p tcp -m tcp --dport 22 -j ACCEPT",
            "-A INPUT -s 198.51.100.0/24 -i eth0 -p udp -m udp --dport 22 -j ACCEPT",
        ),
    ),
    Mutation("IPT301", NFT_CLOSED, Delete("ip saddr 10.9.0.0/24 tcp dport 22 accept")),
    Mutation("IPT301", SERVER4, Replace(SSH4, SSH4.replace("198.51.100.0/24", "0.0.0.0"))),
    Mutation(
        "IPT301",
        NFT_CLOSED,
        Replace(
            "ip saddr 10.9.0.0/24 tcp dport 22 accept", "ip saddr 127.0.0.1 tcp dport 22 accept"
        ),
    ),
    Mutation("IPT302", SERVER4, Replace(SSH4, SSH4.replace("/24", "/25")), settings=OFFICE),
    Mutation(
        "IPT302",
        SERVER4,
        InsertAfter(BANS, "-A INPUT -s 198.51.100.77/32 -j DROP"),
        settings=OFFICE,
    ),
    Mutation("IPT302", SERVER6, Replace(SSH6, SSH6.replace("/48", "/64")), settings=OFFICE),
    Mutation(
        "IPT302",
        NFT_SERVER,
        Replace(
            "define office4 = { 198.51.100.0/24, 192.0.2.16/28 }",
            "define office4 = { 198.51.100.0/25, 192.0.2.16/28 }",
        ),
        settings=OFFICE,
    ),
    Mutation(
        "IPT302",
        NFT_CLOSED,
        Replace(
            "ip saddr 10.9.0.0/24 tcp dport 22 accept", "ip saddr 10.9.0.128/25 tcp dport 22 accept"
        ),
        settings=DATABASE,
    ),
    Mutation(
        "IPT305", SERVER4, Replace(LOOPBACK, "-A INPUT -i lo -d 127.0.0.1/32 -p udp -j ACCEPT")
    ),
    Mutation("IPT305", SERVER6, Delete(LOOPBACK)),
    Mutation("IPT305", CLOSED4, Delete("-A OUTPUT -o lo -j ACCEPT")),
    Mutation("IPT305", CLOSED6, Delete("-A OUTPUT -o lo -j ACCEPT")),
    Mutation(
        "IPT306", SERVER4, Replace(SSH4, SSH4.replace("198.51.100.0/24", "office.example.org"))
    ),
    Mutation(
        "IPT306", SERVER6, Replace(SSH6, SSH6.replace("2001:db8:51::/48", "office.example.org"))
    ),
    Mutation(
        "IPT306",
        CLOSED4,
        Replace(
            '-A OUTPUT -d 10.9.0.123/32 -p udp -m udp --dport 123 -m comment --comment "clock" -j ACCEPT',
            '-A OUTPUT -d ntp.example.org -p udp -m udp --dport 123 -m comment --comment "clock" -j ACCEPT',
        ),
    ),
    Mutation(
        "IPT306",
        ROUTER4,
        Replace(
            "-A PREROUTING -i ppp0 -p tcp -m tcp --dport 8022 -j DNAT --to-destination 192.168.20.30:25565",
            "-A PREROUTING -d home.example.org -p tcp -m tcp --dport 8022 -j DNAT --to-destination 192.168.20.30:25565",
        ),
    ),
)
