"""Translation, and the software that lives by it."""

# ruff: noqa: E501 (a line of a ruleset is as long as it is)
from __future__ import annotations

from tests.mutations.edits import Delete, InsertAfter, Mutation, Replace, Swap
from tests.mutations.lines import (
    DOCKER4,
    FORWARD_ESTABLISHED,
    NFT_DOCKER,
    NFT_ROUTER,
    ROUTER4,
    SERVER4,
    SERVER6,
)

ROWS = (
    Mutation(
        "IPT801",
        ROUTER4,
        Replace(
            "-A POSTROUTING -s 192.168.0.0/16 -o ppp0 -j MASQUERADE", "-A POSTROUTING -j MASQUERADE"
        ),
    ),
    Mutation(
        "IPT801",
        ROUTER4,
        InsertAfter(
            "-A POSTROUTING -s 192.168.0.0/16 -o ppp0 -j MASQUERADE", "-A POSTROUTING -j MASQUERADE"
        ),
    ),
    Mutation(
        "IPT801",
        SERVER6,
        Replace(
            "*filter",
            "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n*filter",
        ),
    ),
    Mutation(
        "IPT801",
        NFT_ROUTER,
        Replace("ip saddr 192.168.0.0/16 oifname $wan masquerade", "masquerade"),
    ),
    Mutation(
        "IPT802",
        NFT_ROUTER,
        Replace(
            "iifname $wan tcp dport 8022 dnat to 192.168.20.30:25565",
            "iifname $wan tcp dport 8022 dnat to 192.168.20.31:25565",
        ),
    ),
    Mutation(
        "IPT802",
        ROUTER4,
        Delete(
            "-A FORWARD -i ppp0 -d 192.168.20.10/32 -p tcp -m multiport --dports 80,443 -j ACCEPT"
        ),
    ),
    Mutation(
        "IPT802", NFT_ROUTER, Delete("iifname $wan ip daddr 192.168.20.30 tcp dport 25565 accept")
    ),
    Mutation(
        "IPT802",
        SERVER6,
        Replace(
            "*filter",
            "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -i eth0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination [2001:db8:77::10]:80\nCOMMIT\n*filter",
        ),
    ),
    Mutation(
        "IPT802",
        SERVER4,
        Replace(
            "*filter",
            "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m tcp --dport 8080 -j REDIRECT --to-ports 8000\nCOMMIT\n*filter",
        ),
    ),
    Mutation(
        "IPT101",
        ROUTER4,
        InsertAfter(FORWARD_ESTABLISHED, "-A FORWARD -i ppp0 -j DROP"),
        times=2,
    ),
    Mutation(
        "IPT803",
        ROUTER4,
        Replace(
            "-A PREROUTING -i ppp0 -p tcp -m multiport --dports 80,443 -j DNAT --to-destination 192.168.20.10",
            "-A PREROUTING -i ppp0 -p tcp -m multiport --dports 80,443 -j DNAT --to-destination 192.168.20.10:8080",
        ),
    ),
    Mutation(
        "IPT803",
        ROUTER4,
        Replace(
            "-A FORWARD -i ppp0 -d 192.168.20.30/32 -p tcp -m tcp --dport 25565 -j ACCEPT",
            "-A FORWARD -i ppp0 -d 192.168.20.30/32 -p tcp -m tcp --dport 8022 -j ACCEPT",
        ),
    ),
    Mutation(
        "IPT803",
        NFT_ROUTER,
        Replace(
            "iifname $wan ip daddr 192.168.20.30 tcp dport 25565 accept",
            "iifname $wan ip daddr 192.168.20.30 tcp dport 8022 accept",
        ),
    ),
    Mutation(
        "IPT803",
        NFT_DOCKER,
        Replace(
            'iifname "eth0" ip saddr 203.0.113.0/24 counter packets 1 bytes 60 drop',
            'iifname "eth0" ip saddr 203.0.113.0/24 tcp dport 8080 counter packets 0 bytes 0 drop',
        ),
    ),
    Mutation(
        "IPT803",
        DOCKER4,
        Replace(
            "-A DOCKER-USER ! -s 198.51.100.0/24 -i eth0 -p tcp -m conntrack --ctorigdstport 8080 -j DROP",
            "-A DOCKER-USER ! -s 198.51.100.0/24 -i eth0 -p tcp -m tcp --dport 8080 -j DROP",
        ),
    ),
    Mutation(
        "IPT803",
        DOCKER4,
        Replace(
            "-A DOCKER-USER ! -s 198.51.100.0/24 -i eth0 -p tcp -m conntrack --ctorigdstport 8080 -j DROP",
            "-A DOCKER-USER ! -s 198.51.100.0/24 -p tcp -m tcp --dport 8080 -j DROP",
        ),
    ),
    Mutation(
        "IPT804",
        NFT_ROUTER,
        Replace(
            "type nat hook prerouting priority dstnat; policy accept;",
            "type nat hook prerouting priority dstnat; policy drop;",
        ),
        also=("IPT301",),
        why="the first packet of a connection to SSH is one of those",
    ),
    Mutation(
        "IPT804",
        NFT_ROUTER,
        InsertAfter(
            "iifname $wan tcp dport { 80, 443 } dnat to 192.168.20.10",
            "ip saddr 203.0.113.0/24 drop",
        ),
    ),
    Mutation(
        "IPT804",
        NFT_ROUTER,
        InsertAfter(
            "ip saddr 192.168.0.0/16 oifname $wan masquerade",
            "oifname $wan ip daddr 203.0.113.0/24 drop",
        ),
    ),
    Mutation(
        "IPT804",
        NFT_DOCKER,
        InsertAfter(
            "type nat hook output priority -100; policy accept;", "ip daddr 203.0.113.0/24 drop"
        ),
    ),
    Mutation(
        "IPT851",
        DOCKER4,
        Delete(
            "-A DOCKER-USER ! -s 198.51.100.0/24 -i eth0 -p tcp -m conntrack --ctorigdstport 8080 -j DROP"
        ),
    ),
    Mutation(
        "IPT851",
        DOCKER4,
        InsertAfter(
            "-A DOCKER -i docker0 -j RETURN",
            "-A DOCKER ! -i docker0 -p tcp -m tcp --dport 9443 -j DNAT --to-destination 172.17.0.3:5432",
        ),
    ),
    Mutation(
        "IPT851",
        DOCKER4,
        Replace(
            "-A DOCKER -d 127.0.0.1/32 ! -i docker0 -p tcp -m tcp --dport 5432 -j DNAT --to-destination 172.17.0.3:5432",
            "-A DOCKER ! -i docker0 -p tcp -m tcp --dport 5432 -j DNAT --to-destination 172.17.0.3:5432",
        ),
    ),
    Mutation(
        "IPT851", NFT_DOCKER, Replace("tcp dport { 443, 8080 } accept", "tcp dport 443 accept")
    ),
    Mutation(
        "IPT851",
        NFT_DOCKER,
        Replace(
            'iifname != "docker0" tcp dport 8080 counter packets 3 bytes 180 dnat to 172.17.0.2:80',
            'iifname != "docker0" tcp dport 8081 counter packets 3 bytes 180 dnat to 172.17.0.2:80',
        ),
    ),
    Mutation(
        "IPT851",
        DOCKER4,
        Replace(
            "-A DOCKER-USER ! -s 198.51.100.0/24 -i eth0 -p tcp -m conntrack --ctorigdstport 8080 -j DROP",
            "-A DOCKER-USER ! -s 198.51.100.0/24 -i eth1 -p tcp -m conntrack --ctorigdstport 8080 -j DROP",
        ),
    ),
    Mutation(
        "IPT851",
        DOCKER4,
        Replace(
            "-A DOCKER-USER ! -s 198.51.100.0/24 -i eth0 -p tcp -m conntrack --ctorigdstport 8080 -j DROP",
            "-A DOCKER-USER ! -s 198.51.100.0/24 -i ens3 -p tcp -m conntrack --ctorigdstport 8080 -j DROP",
        ),
    ),
    Mutation(
        "IPT852",
        DOCKER4,
        Replace(
            "-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT",
            "-A DOCKER -s 203.0.113.0/24 -j DROP\n-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT",
        ),
    ),
    Mutation(
        "IPT852",
        DOCKER4,
        InsertAfter(
            "-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2",
            '-A DOCKER-ISOLATION-STAGE-1 -s 203.0.113.0/24 -m comment --comment "banned" -j DROP',
        ),
    ),
    Mutation(
        "IPT852",
        DOCKER4,
        Replace(
            "-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT",
            "-A DOCKER -s 203.0.113.0/24 -m limit --limit 1/min -j LOG\n-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT",
        ),
    ),
    Mutation(
        "IPT852",
        NFT_DOCKER,
        InsertAfter(
            'iifname != "docker0" oifname "docker0" ip daddr 172.17.0.2 tcp dport 80 counter packets 3 bytes 180 accept',
            'ip saddr 203.0.113.0/24 counter packets 0 bytes 0 drop comment "banned"',
        ),
    ),
    Mutation(
        "IPT852",
        NFT_DOCKER,
        InsertAfter(
            'iifname != "docker0" oifname "docker0" ip daddr 172.17.0.2 tcp dport 80 counter packets 3 bytes 180 accept',
            'limit rate 1/minute log prefix "docker: "',
        ),
    ),
    Mutation(
        "IPT853",
        DOCKER4,
        Swap(
            "-A DOCKER-USER -j RETURN",
            "-A DOCKER-USER ! -s 198.51.100.0/24 -i eth0 -p tcp -m conntrack --ctorigdstport 8080 -j DROP",
        ),
    ),
    Mutation(
        "IPT853",
        DOCKER4,
        InsertAfter(
            "-A DOCKER-USER -j RETURN", "-A DOCKER-USER -i eth0 -p tcp -m tcp --dport 80 -j REJECT"
        ),
    ),
    Mutation(
        "IPT853",
        DOCKER4,
        InsertAfter("-A DOCKER-USER -j RETURN", "-A DOCKER-USER -s 203.0.113.0/24 -i eth0 -j DROP"),
    ),
    Mutation(
        "IPT853",
        NFT_DOCKER,
        InsertAfter(
            "counter packets 119 bytes 8940 return", 'iifname "eth0" ip saddr 198.51.100.0/24 drop'
        ),
    ),
    Mutation(
        "IPT853",
        NFT_DOCKER,
        Swap(
            "counter packets 119 bytes 8940 return",
            'iifname "eth0" ip saddr 203.0.113.0/24 counter packets 1 bytes 60 drop',
        ),
    ),
    Mutation(
        "IPT854",
        DOCKER4,
        Delete("-A FORWARD -i docker0 ! -o docker0 -j ACCEPT"),
        also=("IPT201",),
        why="what containers answer to the world is not accepted either",
    ),
    Mutation(
        "IPT854",
        NFT_DOCKER,
        Delete('iifname "docker0" oifname != "docker0" counter packets 9 bytes 610 accept'),
        also=("IPT201",),
        why="what containers answer to the world is not accepted either",
    ),
    Mutation(
        "IPT854",
        NFT_DOCKER,
        Replace(
            "table ip nat {",
            "table inet more {\nchain forward {\ntype filter hook forward priority filter; policy drop;\nct state established,related accept\n}\n}\ntable ip nat {",
        ),
    ),
    Mutation(
        "IPT854",
        DOCKER4,
        Replace(
            "-A FORWARD -j DOCKER-USER",
            "-A FORWARD -s 172.16.0.0/12 -j REJECT\n-A FORWARD -j DOCKER-USER",
        ),
    ),
    Mutation(
        "IPT855",
        DOCKER4,
        InsertAfter("-A FORWARD -i docker0 -o docker0 -j ACCEPT", "-A FORWARD -j DOCKER-USER"),
    ),
    Mutation(
        "IPT855",
        DOCKER4,
        InsertAfter(
            "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
            "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
        ),
    ),
    Mutation(
        "IPT855",
        NFT_DOCKER,
        InsertAfter(
            'oifname "docker0" counter packets 3 bytes 180 jump DOCKER',
            'oifname "docker0" counter packets 0 bytes 0 jump DOCKER',
        ),
    ),
    Mutation(
        "IPT855",
        NFT_DOCKER,
        InsertAfter(
            'oifname != "docker0" ip saddr 172.17.0.0/16 counter packets 9 bytes 610 masquerade',
            'oifname != "docker0" ip saddr 172.17.0.0/16 counter packets 0 bytes 0 masquerade',
        ),
    ),
    Mutation(
        "IPT805",
        "rules/IPT805/good.v4",
        Delete("-A POSTROUTING -s 192.168.1.0/24 -d 192.168.1.100/32 -j MASQUERADE"),
    ),
    Mutation(
        "IPT805",
        "rules/IPT805/good_outside.v4",
        Replace(
            "-A PREROUTING -d 203.0.113.10/32 -i wan0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 192.168.1.100",
            "-A PREROUTING -d 203.0.113.10/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 192.168.1.100",
        ),
    ),
    Mutation(
        "IPT806",
        ROUTER4,
        InsertAfter(
            "-A PREROUTING -i ppp0 -p tcp -m multiport --dports 80,443 -j DNAT --to-destination 192.168.20.10",
            "-A OUTPUT -p tcp -m tcp --dport 80 -j DNAT --to-destination 192.168.20.10",
        ),
    ),
    Mutation(
        "IPT806",
        "rules/IPT806/good.nft",
        Replace(
            "fib daddr type local tcp dport 443 dnat to 10.0.0.5:8443",
            "tcp dport 443 dnat to 10.0.0.5:8443",
        ),
    ),
    Mutation(
        "IPT808",
        "rules/IPT808/good.nft",
        Replace(
            "type route hook output priority mangle; policy accept;",
            "type filter hook output priority mangle; policy accept;",
        ),
    ),
    Mutation("IPT808", "rules/IPT808/good_saved.nft", Delete("ct mark set meta mark")),
    Mutation(
        "IPT856",
        "rules/IPT856/good.nft",
        Replace(
            'iifname { "virbr0", "incusbr0" } udp dport { 53, 67 } accept',
            'iifname "incusbr0" udp dport { 53, 67 } accept',
        ),
    ),
    Mutation(
        "IPT856",
        "rules/IPT856/good.nft",
        Replace(
            'iifname { "virbr0", "incusbr0" } udp dport { 53, 67 } accept',
            'iifname "virbr0" udp dport { 53, 67 } accept',
        ),
    ),
)
