"""Faults of reading: words, names and values."""

# ruff: noqa: E501 (a line of a ruleset is as long as it is)
from __future__ import annotations

from tests.mutations.edits import InsertAfter, Mutation, Replace
from tests.mutations.lines import (
    BANS,
    DOCKER4,
    NFT_CLOSED,
    NFT_DOCKER,
    NFT_HTTP3,
    NFT_ROUTER,
    NFT_SERVER,
    PROMETHEUS,
    ROUTER4,
    SERVER4,
    SERVER6,
    SSH4,
    SSH6,
)

ROWS = (
    Mutation("IPT001", SERVER4, Replace(SSH4, SSH4.replace("--dport", "--dprot"))),
    Mutation("IPT001", SERVER6, Replace(SSH6, SSH6.replace("-j ACCEPT", "-j"))),
    Mutation(
        "IPT001",
        SERVER4,
        Replace("-A INPUT -i lo -j ACCEPT", "-A INPUT -i lo -j ACCEPT -s 10.0.0.256"),
    ),
    Mutation("IPT001", SERVER6, Replace(SSH6, SSH6.replace("2001:db8:51::/48", "198.51.100.0/24"))),
    Mutation(
        "IPT001",
        NFT_SERVER,
        Replace(
            'udp dport https accept comment "HTTP/3"', 'udp dprot https accept comment "HTTP/3"'
        ),
    ),
    Mutation(
        "IPT002",
        SERVER6,
        InsertAfter(":ICMP6 - [0:0]", "-A INPUT -p tcp -m tcp --dport 25 -j ACME --volume 3"),
    ),
    Mutation(
        "IPT002", SERVER4, Replace(SSH4, SSH4.replace("-m comment", "-m acme --level 3 -m comment"))
    ),
    Mutation(
        "IPT002", SERVER6, Replace(SSH6, SSH6.replace("-m comment", "-m acme --level 3 -m comment"))
    ),
    Mutation(
        "IPT002",
        NFT_DOCKER,
        InsertAfter('iifname "lo" accept', 'tcp dport 25 xt match "recent" accept'),
    ),
    Mutation("IPT003", SERVER4, InsertAfter(BANS, "-A INPUT -p tcp -m tcp --dport 25 -j MAIL")),
    Mutation("IPT003", NFT_SERVER, InsertAfter(NFT_HTTP3, "tcp dport 25 jump mail")),
    Mutation(
        "IPT003",
        NFT_ROUTER,
        InsertAfter("udp dport 51820 accept", "ip saddr @friends tcp dport 22 accept"),
    ),
    Mutation("IPT003", SERVER4, Replace("-A WEB -j ACCEPT", "-A WEB -j ACEPT")),
    Mutation("IPT003", SERVER6, Replace(SSH6, SSH6.replace("-j ACCEPT", "-j accept"))),
    Mutation(
        "IPT004",
        SERVER4,
        InsertAfter(
            '-A BANNED -s 203.0.113.200/32 -m comment --comment "spammer, ticket 4802" -j DROP',
            "-A BANNED -j BANNED",
        ),
    ),
    Mutation("IPT004", SERVER4, Replace("-A WEB -j ACCEPT", "-A WEB -j WEB")),
    Mutation(
        "IPT004",
        SERVER6,
        InsertAfter(
            "-A ICMP6 -p ipv6-icmp -m icmp6 --icmpv6-type 134 -j ACCEPT",
            "-A ICMP6 -s fe80::/10 -j ICMP6",
        ),
    ),
    Mutation(
        "IPT004",
        NFT_SERVER,
        InsertAfter(
            'tcp flags syn ct count over 2000 reject with tcp reset comment "overload"',
            "tcp dport 80 jump web",
        ),
    ),
    Mutation("IPT005", SERVER4, InsertAfter(":WEB - [0:0]", "# iptlint: ignore=IPT601")),
    Mutation("IPT005", SERVER6, InsertAfter("*filter", "# iptlint: ignore=IPT9999")),
    Mutation("IPT005", NFT_SERVER, InsertAfter("flush ruleset", "# iptlint: ignore=IPT604")),
    Mutation("IPT005", DOCKER4, InsertAfter("# expect: IPT404", "# iptlint: ignore=IPT405")),
    Mutation(
        "IPT006",
        SERVER4,
        InsertAfter(PROMETHEUS, "-A INPUT -p tcp -m tcp --dport 9000:8000 -j ACCEPT"),
    ),
    Mutation(
        "IPT006", SERVER6, InsertAfter(SSH6, "-A INPUT -p tcp -m tcp --dport 9000:8000 -j ACCEPT")
    ),
    Mutation(
        "IPT006",
        ROUTER4,
        InsertAfter(
            "-A PREROUTING -i ppp0 -p tcp -m multiport --dports 80,443 -j DNAT --to-destination 192.168.20.10",
            "-A PREROUTING -s 203.0.113.7/32 -j DROP",
        ),
    ),
    Mutation(
        "IPT006",
        NFT_CLOSED,
        Replace(
            "ip saddr 10.9.0.53 udp sport domain udp dport 1024-65535 ct state untracked accept",
            "ip saddr 10.9.0.53 udp sport domain udp dport 65535-1024 ct state untracked accept",
        ),
    ),
    Mutation(
        "IPT006",
        NFT_ROUTER,
        InsertAfter("iifname $wan tcp dport 8022 dnat to 192.168.20.30:25565", "masquerade"),
    ),
    Mutation("IPT006", SERVER6, InsertAfter(SSH6, "-A MAIL -p tcp -m tcp --dport 25 -j ACCEPT")),
    Mutation("IPT006", SERVER4, InsertAfter("*filter", ":PREROUTING ACCEPT [0:0]")),
)
