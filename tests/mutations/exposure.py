"""What the world gets to, and what it must get to."""

# ruff: noqa: E501 (a line of a ruleset is as long as it is)
from __future__ import annotations

from tests.mutations.edits import Delete, InsertAfter, Mutation, Replace, Swap
from tests.mutations.lines import (
    CLOSED4,
    CLOSED6,
    DOCKER4,
    LOG_DENIED,
    LOOPBACK,
    NFT_CLOSED,
    NFT_LOG,
    NFT_ROUTER,
    NFT_SERVER,
    PROMETHEUS,
    ROUTER4,
    ROUTER6,
    SERVER4,
    SERVER6,
    SSH4,
    SSH6,
)

ROWS = (
    Mutation("IPT601", SERVER4, Replace(":INPUT DROP [0:0]", ":INPUT ACCEPT [0:0]")),
    Mutation("IPT601", SERVER4, Delete(":INPUT DROP [0:0]")),
    Mutation(
        "IPT601",
        NFT_SERVER,
        Replace(
            "type filter hook input priority filter; policy drop;",
            "type filter hook input priority filter; policy accept;",
        ),
    ),
    Mutation(
        "IPT601",
        NFT_CLOSED,
        Replace(
            "type filter hook input priority filter; policy drop;",
            "type filter hook input priority filter; policy accept;",
        ),
    ),
    Mutation("IPT602", SERVER4, Replace(LOG_DENIED, "-A INPUT -j ACCEPT")),
    Mutation(
        "IPT602",
        CLOSED4,
        Replace("-A DENIED -j REJECT --reject-with icmp-admin-prohibited", "-A DENIED -j ACCEPT"),
    ),
    Mutation("IPT602", NFT_SERVER, Replace(NFT_LOG, "accept")),
    Mutation(
        "IPT602", SERVER4, InsertAfter(PROMETHEUS, "-A INPUT -m conntrack --ctstate NEW -j ACCEPT")
    ),
    Mutation("IPT602", NFT_ROUTER, InsertAfter("udp dport 51820 accept", "accept")),
    Mutation(
        "IPT602", SERVER4, InsertAfter(SSH4, "-A INPUT -p tcp --syn -m limit --limit 1/s -j ACCEPT")
    ),
    Mutation(
        "IPT603", SERVER4, InsertAfter(PROMETHEUS, "-A INPUT -p tcp -m tcp --dport 3306 -j ACCEPT")
    ),
    Mutation(
        "IPT603", SERVER6, InsertAfter(SSH6, "-A INPUT -p tcp -m tcp --dport 27017 -j ACCEPT")
    ),
    Mutation(
        "IPT603",
        CLOSED4,
        Replace(
            '-A INPUT -s 10.9.1.0/24 -p tcp -m tcp --dport 5432 -m comment --comment "application" -j ACCEPT',
            '-A INPUT -p tcp -m tcp --dport 5432 -m comment --comment "application" -j ACCEPT',
        ),
    ),
    Mutation(
        "IPT603",
        CLOSED6,
        Replace(
            '-A INPUT -s 2001:db8:9:1::/64 -p tcp -m tcp --dport 5432 -m comment --comment "application" -j ACCEPT',
            '-A INPUT -p tcp -m tcp --dport 5432 -m comment --comment "application" -j ACCEPT',
        ),
    ),
    Mutation(
        "IPT603",
        ROUTER4,
        InsertAfter(
            "-A from_wan -p udp -m udp --dport 51820 -j ACCEPT",
            "-A from_wan -p tcp -m tcp --dport 445 -j ACCEPT",
        ),
    ),
    Mutation("IPT604", SERVER4, Replace(SSH4, SSH4.replace("-s 198.51.100.0/24 ", ""))),
    Mutation("IPT701", SERVER6, Replace(SSH6, SSH6.replace("-s 2001:db8:51::/48 ", ""))),
    Mutation(
        "IPT604",
        CLOSED6,
        Replace(
            '-A INPUT -s 2001:db8:9::/48 -p tcp -m tcp --dport 22 -m comment --comment "SSH" -j ACCEPT',
            '-A INPUT -p tcp -m tcp --dport 22 -m comment --comment "SSH" -j ACCEPT',
        ),
    ),
    Mutation(
        "IPT604",
        CLOSED4,
        Delete(
            '-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m hashlimit --hashlimit-above 6/min --hashlimit-mode srcip --hashlimit-name ssh -m comment --comment "guessers" -j DROP'
        ),
    ),
    Mutation(
        "IPT101",
        CLOSED4,
        Swap(
            '-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m hashlimit --hashlimit-above 6/min --hashlimit-mode srcip --hashlimit-name ssh -m comment --comment "guessers" -j DROP',
            '-A INPUT -p tcp -m tcp --dport 22 -m comment --comment "SSH" -j ACCEPT',
        ),
    ),
    Mutation(
        "IPT604",
        ROUTER4,
        InsertAfter(
            "-A from_wan -p udp -m udp --dport 51820 -j ACCEPT",
            "-A from_wan -p tcp -m tcp --dport 22 -j ACCEPT",
        ),
    ),
    Mutation(
        "IPT605",
        ROUTER4,
        Replace("-A FORWARD -j REJECT --reject-with icmp-admin-prohibited", "-A FORWARD -j ACCEPT"),
    ),
    Mutation("IPT605", NFT_ROUTER, Replace("reject with icmpx admin-prohibited", "accept")),
    Mutation(
        "IPT605",
        ROUTER4,
        InsertAfter(
            "-A FORWARD -i br-lan -o br-dmz -j ACCEPT", "-A FORWARD -i ppp0 -o br-lan -j ACCEPT"
        ),
    ),
    Mutation(
        "IPT605",
        ROUTER6,
        InsertAfter(
            "-A FORWARD -i br-lan -o br-dmz -j ACCEPT", "-A FORWARD -i ppp0 -o br-lan -j ACCEPT"
        ),
    ),
    Mutation(
        "IPT606", NFT_CLOSED, InsertAfter('iifname "lo" accept', "ip saddr 127.0.0.0/8 accept")
    ),
    Mutation("IPT606", SERVER4, InsertAfter(LOOPBACK, "-A INPUT -s 127.0.0.0/8 -j ACCEPT")),
    Mutation("IPT606", CLOSED4, InsertAfter(LOOPBACK, "-A INPUT -s 127.0.0.0/8 -i eth0 -j ACCEPT")),
    Mutation(
        "IPT607",
        "rules/IPT607/good.nft",
        Delete("icmp type { destination-unreachable, time-exceeded, parameter-problem } accept"),
    ),
    Mutation(
        "IPT607",
        "rules/IPT607/good.nft",
        Replace(
            "icmp type { destination-unreachable, time-exceeded, parameter-problem } accept",
            "icmp type { time-exceeded, parameter-problem } accept",
        ),
    ),
    Mutation(
        "IPT607",
        SERVER4,
        Replace(
            "*filter",
            "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p icmp -m icmp --icmp-type 3/4 -j DROP\nCOMMIT\n*filter",
        ),
    ),
    Mutation(
        "IPT607",
        SERVER4,
        Replace(
            "*filter",
            "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p icmp -j DROP\nCOMMIT\n*filter",
        ),
        also=("IPT101",),
        why="the rule that lets pings in gets none either",
    ),
    Mutation(
        "IPT608",
        "rules/IPT608/good_user.v4",
        Delete("-A DOCKER-USER -m set --match-set banned src -j DROP"),
    ),
    Mutation(
        "IPT608",
        DOCKER4,
        InsertAfter("-A INPUT -p icmp -j ACCEPT", "-A INPUT -s 203.0.113.0/24 -j DROP"),
    ),
    Mutation(
        "IPT608",
        NFT_ROUTER,
        Replace('iifname "lo" accept', 'iifname "lo" accept\nip saddr 203.0.113.0/24 drop'),
    ),
)
