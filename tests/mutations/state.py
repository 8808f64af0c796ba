"""Faults in how connections are told apart."""

# ruff: noqa: E501 (a line of a ruleset is as long as it is)
from __future__ import annotations

from tests.mutations.edits import Delete, InsertAfter, Mutation, Replace, Swap
from tests.mutations.lines import (
    CLOSED4,
    CLOSED6,
    ESTABLISHED,
    FORWARD_ESTABLISHED,
    INVALID,
    NFT_CLOSED,
    NFT_NOT_SYN,
    NFT_PROMETHEUS,
    NFT_ROUTER,
    NFT_SERVER,
    NFT_STATES,
    NOT_SYN,
    OUT_ESTABLISHED,
    PROMETHEUS,
    ROUTER4,
    ROUTER6,
    SERVER4,
    SERVER6,
    SSH4,
    SSH6,
    WEB4,
)

ROWS = (
    Mutation("IPT201", SERVER4, Delete(ESTABLISHED)),
    Mutation("IPT201", SERVER6, Delete(ESTABLISHED)),
    Mutation("IPT201", CLOSED6, Delete(OUT_ESTABLISHED)),
    Mutation("IPT201", CLOSED4, Delete(ESTABLISHED)),
    Mutation("IPT201", ROUTER4, Delete(FORWARD_ESTABLISHED)),
    Mutation("IPT201", ROUTER6, Delete(FORWARD_ESTABLISHED)),
    Mutation(
        "IPT202",
        "rules/IPT202/good.nft",
        Swap("ct state established,related accept", "tcp dport 993 accept"),
    ),
    Mutation(
        "IPT202",
        "rules/IPT202/good_early.v6",
        Replace(
            "-A before -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
            "-A before -p tcp -m tcp --dport 9 -j ACCEPT\n-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
        ),
    ),
    Mutation(
        "IPT202",
        "rules/IPT202/good_early.v4",
        Replace(
            "-A before -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
            "-A before -p tcp -m tcp --dport 9 -j ACCEPT\n-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
        ),
    ),
    Mutation(
        "IPT203", SERVER4, Replace(INVALID, "-A INPUT -m conntrack --ctstate INVALID -j ACCEPT")
    ),
    Mutation(
        "IPT203", CLOSED4, Replace(ESTABLISHED, ESTABLISHED.replace("RELATED,", "INVALID,RELATED,"))
    ),
    Mutation(
        "IPT203", CLOSED6, Replace(ESTABLISHED, ESTABLISHED.replace("RELATED,", "INVALID,RELATED,"))
    ),
    Mutation(
        "IPT203",
        ROUTER6,
        Replace(FORWARD_ESTABLISHED, "-A FORWARD -m conntrack ! --ctstate NEW -j ACCEPT"),
    ),
    Mutation(
        "IPT204",
        CLOSED4,
        Delete(
            '-A INPUT -s 10.9.0.53/32 -p udp -m udp --sport 53 --dport 1024:65535 -m conntrack --ctstate UNTRACKED -m comment --comment "names" -j ACCEPT'
        ),
    ),
    Mutation(
        "IPT204",
        CLOSED4,
        Delete(
            '-A PREROUTING -i eth0 -s 10.9.0.53/32 -p udp -m udp --sport 53 -m comment --comment "our name server" -j CT --notrack'
        ),
    ),
    Mutation(
        "IPT204",
        SERVER6,
        Replace(
            "*filter",
            "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p udp -m udp --dport 53 -j NOTRACK\nCOMMIT\n*filter",
        ),
    ),
    Mutation(
        "IPT204",
        NFT_CLOSED,
        Delete(
            "ip saddr 10.9.0.53 udp sport domain udp dport 1024-65535 ct state untracked accept"
        ),
    ),
    Mutation(
        "IPT205", SERVER4, InsertAfter(PROMETHEUS, "-A INPUT -p udp -m udp --sport 53 -j ACCEPT")
    ),
    Mutation("IPT205", SERVER6, InsertAfter(SSH6, "-A INPUT -p udp -m udp --sport 53 -j ACCEPT")),
    Mutation("IPT205", NFT_SERVER, InsertAfter(NFT_PROMETHEUS, "udp sport 53 accept")),
    Mutation(
        "IPT205", NFT_CLOSED, Replace("udp sport 67 udp dport 68 accept", "udp sport 67 accept")
    ),
    Mutation(
        "IPT206",
        SERVER4,
        Replace(ESTABLISHED, "-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT"),
        strict=True,
    ),
    Mutation(
        "IPT206",
        SERVER6,
        Replace(INVALID, "-A INPUT -m state --state INVALID -j DROP"),
        strict=True,
    ),
    Mutation(
        "IPT206",
        CLOSED4,
        Replace(OUT_ESTABLISHED, "-A OUTPUT -m state --state RELATED,ESTABLISHED -j ACCEPT"),
        strict=True,
    ),
    Mutation("IPT207", SERVER4, Delete(NOT_SYN), strict=True),
    Mutation("IPT207", SERVER6, Delete(NOT_SYN), strict=True),
    Mutation("IPT207", NFT_SERVER, Delete(NFT_NOT_SYN), strict=True),
    Mutation("IPT207", SERVER4, Swap(NOT_SYN, WEB4), strict=True),
    Mutation(
        "IPT208",
        SERVER4,
        InsertAfter(
            ESTABLISHED,
            "-A INPUT -m hashlimit --hashlimit-above 512kb/s --hashlimit-mode srcip --hashlimit-name flow -j DROP",
        ),
    ),
    Mutation(
        "IPT208",
        SERVER6,
        InsertAfter(
            ESTABLISHED,
            "-A INPUT -m hashlimit --hashlimit-above 512kb/s --hashlimit-mode srcip --hashlimit-name flow -j DROP",
        ),
    ),
    Mutation(
        "IPT208", NFT_SERVER, InsertAfter(NFT_STATES, "limit rate over 10 mbytes/second drop")
    ),
    Mutation(
        "IPT208",
        NFT_ROUTER,
        InsertAfter(
            "iifname $lan oifname $dmz accept", "iifname $wan limit rate over 10 mbytes/second drop"
        ),
    ),
    Mutation(
        "IPT209",
        CLOSED4,
        InsertAfter(
            '-A OUTPUT -o eth0 -d 10.9.0.53/32 -p udp -m udp --dport 53 -m comment --comment "our name server" -j CT --notrack',
            "-A PREROUTING -p tcp -m tcp --dport 80 -m conntrack --ctstate NEW -j DROP",
        ),
    ),
    Mutation(
        "IPT209",
        SERVER6,
        Replace(
            "*filter",
            "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m tcp --dport 80 -m conntrack --ctstate ESTABLISHED -j ACCEPT\nCOMMIT\n*filter",
        ),
    ),
    Mutation(
        "IPT209",
        NFT_SERVER,
        Replace(
            "chain forward {",
            "chain early {\ntype filter hook prerouting priority raw; policy accept;\ntcp dport 80 ct state established accept\n}\nchain forward {",
        ),
    ),
    Mutation(
        "IPT210",
        SERVER4,
        InsertAfter(SSH4, "-A INPUT -s 198.51.100.0/24 -p tcp -m tcp --dport 21 -j ACCEPT"),
    ),
    Mutation(
        "IPT210", "rules/IPT210/good.nft", Delete('tcp dport 21 ct helper set "ftp-standard"')
    ),
)
