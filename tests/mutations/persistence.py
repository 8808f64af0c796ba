"""What a reload or a reboot makes of the file."""

# ruff: noqa: E501 (a line of a ruleset is as long as it is)
from __future__ import annotations

from tests.mutations.edits import Delete, InsertAfter, Mutation, Replace
from tests.mutations.lines import (
    BANS,
    DOCKER4,
    NFT_CLOSED,
    NFT_DOCKER,
    NFT_ROUTER,
    NFT_SERVER,
    ROUTER4,
    SERVER4,
    SERVER6,
    SSH6,
)

ROWS = (
    Mutation(
        "IPT404",
        SERVER4,
        InsertAfter(
            ":BANNED - [0:0]",
            ":f2b-sshd - [0:0]\n-A INPUT -p tcp -m multiport --dports 22 -j f2b-sshd\n-A f2b-sshd -s 203.0.113.9/32 -j REJECT --reject-with icmp-port-unreachable\n-A f2b-sshd -j RETURN",
        ),
    ),
    Mutation(
        "IPT404",
        SERVER6,
        InsertAfter(
            ":ICMP6 - [0:0]",
            ":ts-input - [0:0]\n-A INPUT -j ts-input\n-A ts-input -i tailscale0 -j ACCEPT",
        ),
    ),
    Mutation(
        "IPT404",
        ROUTER4,
        InsertAfter(
            ":from_lan - [0:0]",
            ":LIBVIRT_INP - [0:0]\n-A INPUT -j LIBVIRT_INP\n-A LIBVIRT_INP -i virbr0 -p udp -m udp --dport 53 -j ACCEPT",
        ),
    ),
    Mutation(
        "IPT404",
        NFT_SERVER,
        InsertAfter(
            "flush ruleset",
            "table ip filter {\nchain f2b-sshd {\nip saddr 203.0.113.9 reject\n}\n}",
        ),
    ),
    Mutation("IPT405", NFT_SERVER, Delete("flush ruleset")),
    Mutation("IPT405", NFT_ROUTER, Delete("flush ruleset")),
    Mutation("IPT405", NFT_CLOSED, Delete("delete table inet db")),
    Mutation("IPT405", NFT_SERVER, Replace("flush ruleset", "# flush ruleset")),
    Mutation(
        "IPT406",
        "rules/IPT406/good_own/nftables.nft",
        Replace("delete table inet filter", "flush ruleset"),
    ),
    Mutation(
        "IPT406",
        "rules/IPT406/good_family/nftables.nft",
        Replace("flush ruleset ip6", "flush ruleset"),
    ),
    Mutation(
        "IPT406",
        "rules/IPT406/good_family/nftables.nft",
        Replace("flush ruleset ip6", "flush ruleset ip"),
    ),
    Mutation("IPT407", SERVER4, InsertAfter(BANS, "-A INPUT -m set --match-set bad src -j DROP")),
    Mutation(
        "IPT407",
        SERVER6,
        Replace(SSH6, SSH6.replace("-s 2001:db8:51::/48", "-m set --match-set office6 src")),
    ),
    Mutation(
        "IPT407",
        ROUTER4,
        Replace(
            "-A FORWARD -i br-lan -o br-dmz -j ACCEPT",
            "-A FORWARD -i br-lan -o br-dmz -m set ! --match-set quarantine src -j ACCEPT",
        ),
    ),
    Mutation(
        "IPT407",
        DOCKER4,
        InsertAfter(
            "-A DOCKER-USER -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN",
            "-A DOCKER-USER -i eth0 -m set --match-set bad src -j DROP",
        ),
    ),
    Mutation(
        "IPT409",
        "rules/IPT409/good_complete.nft",
        InsertAfter(
            "# the loopback",
            "# -t filter -A INPUT -p tcp -m tcp --dport 22 -m recent --update --seconds 60 -j DROP",
        ),
    ),
    Mutation(
        "IPT409",
        "rules/IPT409/good_complete.nft",
        Replace(
            'add rule ip filter INPUT iifname "lo" counter accept',
            "# -t filter -A INPUT -m string --algo bm --string lo -j ACCEPT",
        ),
    ),
    Mutation(
        "IPT409",
        NFT_DOCKER,
        InsertAfter(
            "# A host's own table, and what docker has put beside it by way of iptables-nft.",
            "# Translated by iptables-restore-translate v1.8.9 on Sat May  4 10:00:00 2024\n# -t filter -A INPUT -p tcp -m tcp --dport 22 -m recent --update --seconds 60 -j DROP",
        ),
    ),
    Mutation(
        "IPT409",
        NFT_CLOSED,
        InsertAfter(
            "ip saddr 10.9.0.0/24 tcp dport 22 accept",
            "# -t filter -A INPUT -p tcp -m tcp --dport 22 -m recent --update --seconds 60 -j DROP ",
        ),
    ),
)
