"""Rules that see no packet, or change nothing."""

# ruff: noqa: E501 (a line of a ruleset is as long as it is)
from __future__ import annotations

from tests.mutations.edits import Delete, InsertAfter, Mutation, Replace
from tests.mutations.lines import (
    BANS,
    CLOSED4,
    LOG_DENIED,
    NFT_CLOSED,
    NFT_HTTP3,
    NFT_LOG,
    NFT_LOOPBACK,
    NFT_PROMETHEUS,
    NFT_ROUTER,
    NFT_SERVER,
    NFT_SSH4,
    NFT_WEB,
    ROUTER4,
    SERVER4,
    SERVER6,
    SSH4,
    SSH6,
    WEB6,
)

ROWS = (
    Mutation(
        "IPT101",
        SERVER4,
        Replace(
            '-A BANNED -s 203.0.113.200/32 -m comment --comment "spammer, ticket 4802" -j DROP',
            "-A BANNED -s 203.0.113.200/32 -m conntrack --ctstate ESTABLISHED -j DROP",
        ),
    ),
    Mutation(
        "IPT101",
        SERVER6,
        InsertAfter(SSH6, "-A INPUT -s 2001:db8:51:7::/64 -p tcp -m tcp --dport 22 -j DROP"),
    ),
    Mutation(
        "IPT101",
        ROUTER4,
        InsertAfter(
            "-A FORWARD -j REJECT --reject-with icmp-admin-prohibited",
            "-A FORWARD -i br-dmz -o ppp0 -j ACCEPT",
        ),
    ),
    Mutation(
        "IPT101",
        CLOSED4,
        InsertAfter(
            "-A INPUT -j DENIED", "-A INPUT -s 10.9.7.0/24 -p tcp -m tcp --dport 9187 -j ACCEPT"
        ),
    ),
    Mutation(
        "IPT102",
        SERVER4,
        InsertAfter(SSH4, "-A INPUT -s 198.51.100.7/32 -p tcp -m tcp --dport 22 -j ACCEPT"),
    ),
    Mutation(
        "IPT102",
        SERVER6,
        InsertAfter(SSH6, "-A INPUT -s 2001:db8:51:7::/64 -p tcp -m tcp --dport 22 -j ACCEPT"),
    ),
    Mutation(
        "IPT102", NFT_SERVER, InsertAfter(NFT_SSH4, "ip saddr 198.51.100.7 tcp dport 22 accept")
    ),
    Mutation(
        "IPT102",
        NFT_CLOSED,
        InsertAfter("tcp dport https accept", "ip daddr 10.9.0.53 tcp dport https accept"),
    ),
    Mutation("IPT103", SERVER4, Replace("-A WEB -j ACCEPT", "-A WEB -p udp -j ACCEPT")),
    Mutation(
        "IPT103",
        ROUTER4,
        Replace("-A INPUT -i br-lan -j from_lan", "-A INPUT -i br-lan -o ppp0 -j from_lan"),
        also=("IPT301",),
        why="the office reached SSH by this jump alone",
    ),
    Mutation(
        "IPT103",
        SERVER6,
        Replace(SSH6, SSH6.replace("-m comment", "-m multiport --dports 2222,2223 -m comment")),
    ),
    Mutation(
        "IPT103",
        NFT_SERVER,
        Replace(
            NFT_PROMETHEUS,
            'ip saddr 10.20.0.15 tcp dport 9100 tcp dport 9200 accept comment "Prometheus"',
        ),
    ),
    Mutation("IPT104", SERVER4, Delete(BANS)),
    Mutation(
        "IPT104",
        SERVER6,
        Delete("-A INPUT -p ipv6-icmp -j ICMP6"),
        also=("IPT702",),
        why="the chain is the one that lets neighbours in",
    ),
    Mutation(
        "IPT104",
        ROUTER4,
        Delete("-A INPUT -i br-lan -j from_lan"),
        also=("IPT301",),
        why="the chain is the one that lets SSH in",
    ),
    Mutation("IPT104", NFT_SERVER, Delete(NFT_WEB)),
    Mutation("IPT105", NFT_SERVER, Delete("ip saddr @banned4 drop")),
    Mutation("IPT105", NFT_SERVER, Delete("ip6 saddr @banned6 drop")),
    Mutation(
        "IPT105", NFT_SERVER, Replace("ip saddr @banned4 drop", "ip saddr 203.0.113.0/25 drop")
    ),
    Mutation(
        "IPT105", NFT_ROUTER, InsertAfter('define dmz = "br-dmz"', 'define guests = "br-guests"')
    ),
    Mutation("IPT106", SERVER4, InsertAfter(LOG_DENIED, SSH4)),
    Mutation(
        "IPT106",
        SERVER6,
        InsertAfter(WEB6, "-A INPUT -p tcp -m multiport --dports 443,80 -j ACCEPT"),
    ),
    Mutation(
        "IPT106",
        ROUTER4,
        InsertAfter(
            "-A FORWARD -i br-lan -o br-dmz -j ACCEPT", "-A FORWARD -i br-lan -o ppp0 -j ACCEPT"
        ),
    ),
    Mutation(
        "IPT106", NFT_SERVER, InsertAfter(NFT_PROMETHEUS, "ip saddr $office4 tcp dport 22 accept")
    ),
    Mutation(
        "IPT107",
        SERVER4,
        InsertAfter(
            ":BANNED - [0:0]", ":EMPTY - [0:0]\n-A INPUT -p tcp -m tcp --dport 25 -j EMPTY"
        ),
    ),
    Mutation("IPT107", SERVER6, InsertAfter(LOG_DENIED, "-A INPUT -p udp -j ICMP6")),
    Mutation("IPT107", NFT_ROUTER, InsertAfter(NFT_LOOPBACK, "tcp dport 25 jump from_wan")),
    Mutation(
        "IPT108",
        SERVER4,
        InsertAfter(
            '-A INPUT -s 198.51.100.0/24 -p tcp -m tcp --dport 22 -m comment --comment "office" -j ACCEPT',
            '-A INPUT -s 198.51.100.0/25 -m comment --comment "no more" -j DROP',
        ),
        strict=True,
    ),
    Mutation(
        "IPT108",
        SERVER6,
        InsertAfter(WEB6, '-A INPUT -s 2001:db8:bad::/48 -m comment --comment "x" -j DROP'),
        strict=True,
    ),
    Mutation(
        "IPT108",
        NFT_SERVER,
        InsertAfter(NFT_HTTP3, 'ip saddr 203.0.114.0/24 drop comment "x"'),
        strict=True,
    ),
    Mutation(
        "IPT110",
        NFT_ROUTER,
        InsertAfter(
            'define dmz = "br-dmz"',
            'table ip mine {\n chain input {\n type filter hook input priority -10;\n iifname "br-lan" tcp dport 8080 accept\n }\n}',
        ),
    ),
    Mutation(
        "IPT110",
        NFT_SERVER,
        InsertAfter(
            "flush ruleset",
            "table inet mine {\n chain input {\n type filter hook input priority -10;\n tcp dport 8080 accept\n }\n}",
        ),
    ),
    Mutation(
        "IPT110",
        NFT_ROUTER,
        InsertAfter(
            'define dmz = "br-dmz"',
            'table inet mine {\n chain input {\n type filter hook input priority -10;\n iifname "ppp0" tcp dport 8080 accept\n }\n}',
        ),
    ),
    Mutation(
        "IPT110",
        NFT_ROUTER,
        InsertAfter(
            'define dmz = "br-dmz"',
            'table inet mine {\n chain through {\n type filter hook forward priority -10;\n iifname "ppp0" oifname "br-lan" tcp dport 8080 accept\n }\n}',
        ),
    ),
    Mutation(
        "IPT111", NFT_SERVER, Delete("type filter hook forward priority filter; policy drop;")
    ),
    Mutation("IPT111", NFT_SERVER, Delete("type filter hook input priority filter; policy drop;")),
    Mutation("IPT111", NFT_CLOSED, Delete("type filter hook output priority filter; policy drop;")),
    Mutation(
        "IPT111", NFT_ROUTER, Delete("type nat hook postrouting priority srcnat; policy accept;")
    ),
    Mutation(
        "IPT112",
        NFT_ROUTER,
        InsertAfter(
            'define dmz = "br-dmz"',
            "table ip lab {\n chain prerouting {\n type nat hook prerouting priority dstnat;\n iifname $wan tcp dport 443 dnat to 192.168.20.10:80\n }\n}",
        ),
    ),
    Mutation(
        "IPT112",
        NFT_ROUTER,
        InsertAfter(
            'define dmz = "br-dmz"',
            'table ip lab {\n chain input {\n type filter hook input priority filter;\n limit rate 1/minute log prefix "x"\n }\n}',
        ),
    ),
    Mutation(
        "IPT112",
        NFT_ROUTER,
        InsertAfter(
            'define dmz = "br-dmz"',
            "table ip lab {\n chain post {\n type nat hook postrouting priority srcnat;\n oifname $wan snat to 192.0.2.1\n }\n}",
        ),
    ),
    Mutation(
        "IPT120",
        "rules/IPT120/good.v4",
        Replace(
            "[20412:1224720] -A INPUT -p tcp -m tcp --dport 443 -j ACCEPT",
            "[20412:1224720] -A INPUT -p tcp -m tcp --dport 443 -j ACCEPT\n[0:0] -A INPUT -s 198.51.101.9/32 -p tcp -m tcp --dport 8443 -j ACCEPT",
        ),
    ),
    Mutation(
        "IPT120",
        "rules/IPT120/good.v4",
        Replace(
            "-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT",
            "[0:0] -A INPUT -p tcp -m tcp --dport 80 -j ACCEPT",
        ),
    ),
    Mutation(
        "IPT113",
        NFT_ROUTER,
        Replace("iifname $lan oifname $wan accept", 'iifname "br-lan+" oifname $wan accept'),
    ),
    Mutation("IPT113", NFT_SERVER, InsertAfter(NFT_HTTP3, 'iifname "wg+" tcp dport 8443 accept')),
    Mutation("IPT114", SERVER4, InsertAfter(LOG_DENIED, "-A INPUT -s 192.0.2.130/32 -j DROP")),
    Mutation("IPT114", NFT_SERVER, InsertAfter(NFT_LOG, "ip saddr 192.0.2.128/25 drop")),
    Mutation(
        "IPT109",
        SERVER4,
        InsertAfter(
            SSH4, "-A INPUT -s 198.51.100.0/24 -p tcp -m multiport --dports 22,8443 -j DROP"
        ),
    ),
    Mutation("IPT109", NFT_SERVER, InsertAfter(NFT_HTTP3, "udp dport { 443, 8443 } reject")),
)
