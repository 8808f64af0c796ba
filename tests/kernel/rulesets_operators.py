"""Rulesets as operators write them, of the kinds that are got wrong: published ports, hairpins,
maps, zones, marks, times to live, devices and bridges."""

from __future__ import annotations

from tests.kernel.restoring import Kind
from tests.kernel.translation_rulesets import iptables

_RUNNING = "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"

IPTABLES = {
    "docker, and a user who denies by the published port": iptables(
        "INPUT FORWARD",
        nat=(
            "PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
            "OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER",
            "POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
            "DOCKER ! -i docker0 -p tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80",
            "DOCKER ! -i docker0 -p udp --dport 53 -j DNAT --to-destination 172.17.0.3:53",
        ),
        filter=(
            "FORWARD -j DOCKER-USER",
            f"FORWARD -o docker0 {_RUNNING}",
            "FORWARD -o docker0 -j DOCKER",
            "FORWARD -i docker0 ! -o docker0 -j ACCEPT",
            "FORWARD -i docker0 -o docker0 -j ACCEPT",
            f"INPUT {_RUNNING}",
            "DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp --dport 80 -j ACCEPT",
            "DOCKER -d 172.17.0.3/32 ! -i docker0 -o docker0 -p udp --dport 53 -j ACCEPT",
            "DOCKER-USER -i eth0 -p tcp -m conntrack --ctorigdstport 8080 --ctdir ORIGINAL -j DROP",
            "DOCKER-USER -i eth0 -p udp --dport 53 -s 198.51.100.0/24 -j RETURN",
            "DOCKER-USER -j RETURN",
        ),
    ),
    "a hairpin with a new source, and one without": iptables(
        "FORWARD",
        nat=(
            "PREROUTING -d 198.51.100.1 -p tcp --dport 80 -j DNAT --to-destination 192.168.1.100",
            "PREROUTING -d 198.51.100.1 -p udp --dport 53 -j DNAT --to-destination 192.168.1.100",
            "POSTROUTING -s 192.168.1.0/24 -d 192.168.1.100 -p tcp --dport 80 -j MASQUERADE",
            "POSTROUTING -o eth0 -j MASQUERADE",
        ),
        filter=(
            f"FORWARD {_RUNNING}",
            "FORWARD -m conntrack --ctstate DNAT -j ACCEPT",
            "FORWARD -i eth1 -o eth0 -j ACCEPT",
            "INPUT -m conntrack --ctstate DNAT -j DROP",
        ),
    ),
    "networks mapped both ways": iptables(
        "FORWARD",
        nat=(
            "PREROUTING -i eth0 -d 198.51.100.0/24 -p tcp -j NETMAP --to 192.168.1.0/24",
            "POSTROUTING -o docker0 -s 192.168.1.0/24 -j NETMAP --to 10.7.7.0/24",
        ),
        filter=(
            f"FORWARD {_RUNNING}",
            "FORWARD -m conntrack --ctstate SNAT -j ACCEPT",
            "FORWARD -p tcp --dport 80 -d 192.168.1.100 -j ACCEPT",
            "FORWARD -i eth1 -j ACCEPT",
        ),
    ),
    "translations to what packets have": iptables(
        "INPUT",
        nat=(
            "PREROUTING -p tcp --dport 80 -j DNAT --to-destination 198.51.100.1:80",
            "PREROUTING -p udp --dport 53 -j REDIRECT --to-ports 53",
            "PREROUTING -p tcp --dport 8080 -j REDIRECT --to-ports 80",
        ),
        filter=(
            "INPUT -m conntrack --ctstate DNAT -j ACCEPT",
            "INPUT -p tcp --dport 80 -j REJECT --reject-with tcp-reset",
            "INPUT -p udp -j REJECT --reject-with icmp-port-unreachable",
        ),
    ),
    "times to live and marks": iptables(
        "FORWARD",
        mangle=(
            "PREROUTING -i eth0 -p tcp --dport 80 -j TTL --ttl-set 1",
            "PREROUTING -i eth0 -p udp -j MARK --set-xmark 0x7/0xff",
            "PREROUTING -i eth1 -p tcp -j CONNMARK --set-xmark 0x3/0xffffffff",
            "PREROUTING -m connmark --mark 0x3 -j MARK --set-xmark 0x9/0xffffffff",
            "FORWARD -p udp --dport 53 -j TTL --ttl-dec 70",
        ),
        filter=(
            "FORWARD -m mark --mark 0x9 -j ACCEPT",
            "FORWARD -m mark --mark 0x7/0xff -j ACCEPT",
            f"FORWARD {_RUNNING}",
            "FORWARD -i eth1 -m connmark --mark 0x3 -j ACCEPT",
        ),
    ),
    "zones by wire": iptables(
        "FORWARD",
        raw=(
            "PREROUTING -i eth0 -j CT --zone 1",
            "PREROUTING -i docker0 -j CT --zone 1",
            "PREROUTING -i eth1 -p udp -j NOTRACK",
        ),
        nat=(
            "PREROUTING -i eth0 -p tcp --dport 80 -j DNAT --to-destination 172.17.0.2:8080",
            "PREROUTING -i eth0 -p tcp --dport 443 -j DNAT --to-destination 192.168.1.100:443",
        ),
        filter=(
            f"FORWARD {_RUNNING}",
            "FORWARD -i eth0 -m conntrack --ctstate NEW -j ACCEPT",
            "FORWARD -i eth1 -m conntrack --ctstate UNTRACKED -j ACCEPT",
        ),
    ),
    "one chain of nat for what comes and what is sent": iptables(
        "FORWARD",
        nat=(
            "PREROUTING -p tcp -m multiport --dports 80,443 -j WEB",
            "OUTPUT -p tcp -m multiport --dports 80,443 -j WEB",
            "WEB -m conntrack --ctorigdst 198.51.100.1 -j DNAT --to-destination 172.17.0.2",
            "WEB -p tcp --dport 443 -j DNAT --to-destination 192.168.1.100:22",
            "POSTROUTING -m conntrack --ctstate DNAT -o eth1 -j MASQUERADE",
            "INPUT -p udp -j SNAT --to-source 203.0.113.9",
        ),
        filter=(
            f"FORWARD {_RUNNING}",
            "FORWARD -m conntrack --ctstate DNAT ! -o docker0 -j ACCEPT",
            "FORWARD -o docker0 -p tcp --dport 80 -j ACCEPT",
            "INPUT -s 203.0.113.9 -j DROP",
        ),
    ),
}
NFT = {
    "maps of ports to addresses, and of sources": """table ip n {
    map fwd {
        type inet_service : ipv4_addr . inet_service
        elements = { 80 : 192.168.1.100 . 8080, 8080 : 172.17.0.2 . 80 }
    }
    chain pre {
        type nat hook prerouting priority dstnat
        iifname "eth0" counter dnat ip to tcp dport map @fwd
        tcp dport 22 counter dnat to ip saddr map { 198.51.100.7 : 172.17.0.3 }
    }
    chain post {
        type nat hook postrouting priority srcnat
        oifname "eth0" counter snat to ip saddr map { 192.168.1.0/24 : 198.51.100.1 }
        oifname "docker0" ct status dnat counter masquerade
    }
}
table ip f {
    chain fw {
        type filter hook forward priority 0; policy drop
        ct state established,related counter accept
        ct status dnat tcp dport { 80, 8080 } counter accept
        iifname "eth1" counter accept
    }
    chain in {
        type filter hook input priority 0; policy accept
        ct status dnat counter drop
    }
}
""",
    "marks from a device on": """table netdev d {
    chain ing {
        type filter hook ingress device "eth0" priority 0; policy accept
        udp dport 53 counter drop
        tcp dport 443 meta mark set 5 counter
        ip saddr 198.51.100.7 tcp dport 22 counter accept
    }
}
table inet f {
    chain pre {
        type filter hook prerouting priority -150
        meta mark 5 counter ct mark set 6
        iifname "eth0" tcp dport 80 counter meta mark set 8
    }
    chain dn {
        type nat hook prerouting priority dstnat
        meta mark 8 counter dnat ip to 172.17.0.2
        ct mark 6 counter redirect to :22
    }
    chain in {
        type filter hook input priority 0; policy drop
        ct state established counter accept
        ct mark 6 tcp dport 22 counter accept
        ct status dnat counter reject with tcp reset
    }
    chain fw {
        type filter hook forward priority 0; policy drop
        ct status dnat ct direction original counter accept
        ct direction reply counter accept
    }
}
""",
    "prefixes, ranges, and a time to live that runs out": """table ip n {
    chain pre {
        type nat hook prerouting priority dstnat
        udp dport 53 counter dnat ip prefix to ip daddr map { 198.51.100.0/24 : 192.168.1.0/24 }
        iifname "eth0" tcp dport 80-443 counter dnat to 192.168.1.100:80-443
    }
}
table ip f {
    chain pre {
        type filter hook prerouting priority -150
        iifname "eth1" tcp sport 443 ip ttl set 1 counter
    }
    chain fw {
        type filter hook forward priority 0; policy drop
        ip daddr 192.168.1.100 ct state new counter accept
        ct state established counter accept
        ct state established ip ttl 1 counter drop
    }
}
""",
    "zones of what the host sends, translated in output": """table ip r {
    chain pre {
        type filter hook prerouting priority raw
        iifname "eth1" ct zone set 3 counter
    }
    chain out {
        type filter hook output priority raw
        ip daddr 192.168.1.0/24 ct zone set 3 counter
        udp dport 53 counter notrack
    }
}
table ip n {
    chain out {
        type nat hook output priority -100
        tcp dport 80 counter dnat to 192.168.1.100:8080
        tcp dport 443 counter redirect to :22
    }
    chain in {
        type nat hook input priority 100
        tcp dport 22 counter snat to 192.168.1.77
    }
}
table ip f {
    chain in {
        type filter hook input priority 0; policy drop
        ct state established counter accept
        iifname "lo" counter accept
        ct state new tcp dport 22 counter accept
    }
}
""",
}
NFT_IP6 = {
    "a map to another host and to this one": """table ip6 n {
    chain pre {
        type nat hook prerouting priority dstnat
        iifname "eth0" counter dnat to tcp dport map { 80 : fd00:17::2, 443 : 2001:db8:1::1 }
        iifname "eth0" udp dport 53 counter redirect to :5353
    }
    chain post {
        type nat hook postrouting priority srcnat
        oifname "eth0" counter masquerade
    }
}
table inet f {
    chain fw {
        type filter hook forward priority 0; policy drop
        ct state established,related counter accept
        ct status dnat counter accept
        iifname "docker0" oifname "eth0" counter accept
    }
    chain in {
        type filter hook input priority 0; policy drop
        ct state established,related counter accept
        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } counter accept
        ct status dnat udp dport 5353 counter accept
        ct status dnat counter drop
        tcp dport 443 counter reject with icmpv6 port-unreachable
    }
}
""",
}
BRIDGED = {
    "a bridge that marks for ip": """table bridge b {
    chain pre {
        type filter hook prerouting priority -300
        iifname "v-web" ip protocol udp counter meta mark set 9
    }
    chain fw {
        type filter hook forward priority 0; policy accept
        iifname "v-web" oifname "v-base" tcp dport 80 counter drop
        meta mark 9 counter drop
    }
    chain in {
        type filter hook input priority 0
        iifname "v-base" tcp dport 22 counter drop
        meta ibrname "docker0" tcp dport 443 counter drop
    }
    chain out {
        type filter hook output priority 0
        oifname "v-web" tcp dport 443 counter drop
    }
}
table ip f {
    chain in {
        type filter hook input priority 0
        meta mark 9 counter drop
        iifname "docker0" tcp dport 80 counter accept
    }
}
""",
}


RULESETS: list[tuple[str, Kind, str, str]] = [
    *(
        (name, kind, "ip", text)
        for name, text in IPTABLES.items()
        for kind in Kind
        if kind is not Kind.NFT
    ),
    *((name, Kind.NFT, "ip", text) for name, text in NFT.items()),
    *((name, Kind.NFT, "ip6", text) for name, text in NFT_IP6.items()),
    *((name, Kind.NFT, "ip", text) for name, text in BRIDGED.items()),
]
"""Each with the kind and the family that it is loaded as."""
