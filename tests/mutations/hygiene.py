"""Logs, masks, numbers and notes."""

# ruff: noqa: E501 (a line of a ruleset is as long as it is)
from __future__ import annotations

from tests.mutations.edits import Delete, InsertAfter, Mutation, Replace, Swap
from tests.mutations.lines import (
    BANS,
    CLOSED4,
    HTTP3,
    LOG_DENIED,
    NFT_CLOSED,
    NFT_HTTP3,
    NFT_LOG,
    NFT_PROMETHEUS,
    NFT_ROUTER,
    NFT_SERVER,
    PROMETHEUS,
    ROUTER4,
    SERVER4,
    SERVER6,
    SSH4,
    SSH6,
    WEB6,
)

ROWS = (
    Mutation("IPT901", SERVER4, Replace(LOG_DENIED, '-A INPUT -j LOG --log-prefix "denied: "')),
    Mutation("IPT901", SERVER6, Replace(LOG_DENIED, '-A INPUT -j LOG --log-prefix "denied: "')),
    Mutation(
        "IPT901",
        CLOSED4,
        Replace(
            '-A DENIED -m limit --limit 5/min -j LOG --log-prefix "denied: "',
            '-A DENIED -j LOG --log-prefix "denied: "',
        ),
    ),
    Mutation(
        "IPT901",
        ROUTER4,
        InsertAfter("-A FORWARD -i br-lan -o br-dmz -j ACCEPT", "-A FORWARD -j LOG"),
    ),
    Mutation(
        "IPT902",
        SERVER4,
        InsertAfter(HTTP3, "-A INPUT -p udp -m udp --dport 443 -m limit --limit 1/sec -j LOG"),
    ),
    Mutation(
        "IPT902",
        CLOSED4,
        Swap(
            '-A DENIED -m limit --limit 5/min -j LOG --log-prefix "denied: "',
            "-A DENIED -j REJECT --reject-with icmp-admin-prohibited",
        ),
    ),
    Mutation(
        "IPT902",
        SERVER6,
        InsertAfter(
            SSH6,
            "-A INPUT -s 2001:db8:51:2::/64 -p tcp -m tcp --dport 22 -m limit --limit 1/sec -j LOG",
        ),
    ),
    Mutation(
        "IPT902",
        ROUTER4,
        InsertAfter(
            "-A FORWARD -j REJECT --reject-with icmp-admin-prohibited",
            "-A FORWARD -m limit --limit 1/sec -j LOG",
        ),
    ),
    Mutation("IPT903", SERVER4, Delete(LOG_DENIED), strict=True),
    Mutation("IPT903", SERVER6, Delete(LOG_DENIED), strict=True),
    Mutation(
        "IPT903",
        CLOSED4,
        Delete('-A DENIED -m limit --limit 5/min -j LOG --log-prefix "denied: "'),
        strict=True,
    ),
    Mutation("IPT903", NFT_SERVER, Delete(NFT_LOG), strict=True),
    Mutation("IPT904", SERVER4, Replace(SSH4, SSH4.replace("198.51.100.0/24", "198.51.100.7/24"))),
    Mutation(
        "IPT904", SERVER6, Replace(SSH6, SSH6.replace("2001:db8:51::/48", "2001:db8:51::7/48"))
    ),
    Mutation(
        "IPT904",
        ROUTER4,
        Replace(
            "-A POSTROUTING -s 192.168.0.0/16 -o ppp0 -j MASQUERADE",
            "-A POSTROUTING -s 192.168.10.1/16 -o ppp0 -j MASQUERADE",
        ),
    ),
    Mutation(
        "IPT904",
        NFT_SERVER,
        Replace(
            "elements = { 203.0.113.0/25, 203.0.113.200 }",
            "elements = { 203.0.113.7/25, 203.0.113.200 }",
        ),
    ),
    Mutation(
        "IPT905",
        NFT_ROUTER,
        Replace(
            "iifname vmap { $lan : jump from_lan, $wan : jump from_wan }",
            "iif vmap { $lan : jump from_lan, $wan : jump from_wan }",
        ),
    ),
    Mutation(
        "IPT905",
        NFT_CLOSED,
        Replace(
            'iifname "eth0" ip saddr 10.9.0.53 udp sport domain notrack',
            'iif "eth0" ip saddr 10.9.0.53 udp sport domain notrack',
        ),
    ),
    Mutation(
        "IPT905",
        NFT_ROUTER,
        Replace("iifname $lan oifname $wan accept", "iifname $lan oif $wan accept"),
    ),
    Mutation(
        "IPT905",
        NFT_ROUTER,
        Replace(
            "ip saddr 192.168.0.0/16 oifname $wan masquerade",
            'ip saddr 192.168.0.0/16 oif "ppp0" masquerade',
        ),
    ),
    Mutation(
        "IPT906",
        SERVER4,
        Replace(PROMETHEUS, PROMETHEUS.replace(' -m comment --comment "Prometheus"', "")),
        strict=True,
    ),
    Mutation(
        "IPT906",
        SERVER6,
        Replace(SSH6, SSH6.replace(' -m comment --comment "office"', "")),
        strict=True,
    ),
    Mutation(
        "IPT906",
        NFT_SERVER,
        Replace(NFT_PROMETHEUS, NFT_PROMETHEUS.replace(' comment "Prometheus"', "")),
        strict=True,
    ),
    Mutation(
        "IPT906",
        CLOSED4,
        InsertAfter("-A OUTPUT -o lo -j ACCEPT", "-A OUTPUT -p tcp -m tcp --dport 25 -j ACCEPT"),
        strict=True,
    ),
    Mutation(
        "IPT907",
        SERVER4,
        InsertAfter(
            BANS,
            "-A INPUT ! -s 198.51.100.0/24 -p tcp -m tcp --dport 8443 -j DROP\n-A INPUT ! -s 10.20.0.0/24 -p tcp -m tcp --dport 8443 -j DROP",
        ),
    ),
    Mutation(
        "IPT907",
        SERVER6,
        InsertAfter(
            WEB6,
            "-A INPUT ! -s 2001:db8:51::/48 -p tcp -m tcp --dport 8443 -j DROP\n-A INPUT ! -s 2001:db8:52::/48 -p tcp -m tcp --dport 8443 -j DROP",
        ),
    ),
    Mutation(
        "IPT907",
        ROUTER4,
        InsertAfter(
            "-A FORWARD -i br-lan -o br-dmz -j ACCEPT",
            "-A FORWARD ! -i ppp0 -p tcp -m tcp --dport 25 -j ACCEPT\n-A FORWARD ! -i br-lan -p tcp -m tcp --dport 25 -j ACCEPT",
        ),
    ),
    Mutation(
        "IPT907",
        NFT_SERVER,
        InsertAfter(
            "ip6 saddr @banned6 drop",
            "ip saddr != 198.51.100.0/24 tcp dport 8443 drop\nip saddr != 10.20.0.0/24 tcp dport 8443 drop",
        ),
    ),
    Mutation(
        "IPT907",
        SERVER4,
        InsertAfter(
            BANS,
            "-A INPUT ! -s 198.51.100.0/24 -p tcp -m conntrack --ctorigdstport 8443 -j DROP\n-A INPUT ! -s 10.20.0.0/24 -p tcp -m conntrack --ctorigdstport 8443 -j DROP",
        ),
    ),
    Mutation(
        "IPT908",
        SERVER4,
        Replace(
            '-A FORWARD -m limit --limit 5/min -j LOG --log-prefix "not routed: "',
            '-A FORWARD -m limit --limit 5/min -j LOG --log-prefix "allowed: "',
        ),
    ),
    Mutation(
        "IPT908",
        NFT_SERVER,
        InsertAfter(
            NFT_HTTP3,
            'udp dport 8443 limit rate 1/minute log prefix "drop "\nudp dport 8443 accept',
        ),
    ),
)
