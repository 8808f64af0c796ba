"""The hosts that are edited, and those of their lines that many edits are about."""

# ruff: noqa: E501 (a line of a ruleset is as long as it is)
from __future__ import annotations

SERVER4 = "hosts/quiet-server/rules.v4"
SERVER6 = "hosts/quiet-server/rules.v6"
CLOSED4 = "hosts/quiet-closed/rules.v4"
CLOSED6 = "hosts/quiet-closed/rules.v6"
ROUTER4 = "hosts/quiet-router/rules.v4"
ROUTER6 = "hosts/quiet-router/rules.v6"
DOCKER4 = "hosts/quiet-docker/rules.v4"
DOCKER6 = "hosts/quiet-docker/rules.v6"
SCRIPT = "hosts/quiet-script/firewall.sh"
NFT_SERVER = "hosts/quiet-nft-server/nftables.nft"
NFT_CLOSED = "hosts/quiet-nft-closed/nftables.nft"
NFT_ROUTER = "hosts/quiet-nft-router/nftables.nft"
NFT_DOCKER = "hosts/quiet-nft-docker/ruleset.nft"
ESTABLISHED = "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
OUT_ESTABLISHED = "-A OUTPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
FORWARD_ESTABLISHED = "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
LOOPBACK = "-A INPUT -i lo -j ACCEPT"
INVALID = "-A INPUT -m conntrack --ctstate INVALID -j DROP"
NOT_SYN = '-A INPUT -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -m conntrack --ctstate NEW -m comment --comment "no connection begins so" -j DROP'
BANS = "-A INPUT -j BANNED"
WEB4 = '-A INPUT -p tcp -m multiport --dports 80,443 -m comment --comment "web" -j WEB'
WEB6 = '-A INPUT -p tcp -m multiport --dports 80,443 -m comment --comment "web" -j ACCEPT'
HTTP3 = '-A INPUT -p udp -m udp --dport 443 -m comment --comment "HTTP/3" -j ACCEPT'
PROMETHEUS = '-A INPUT -s 10.20.0.15/32 -p tcp -m tcp --dport 9100 -m comment --comment "Prometheus" -j ACCEPT'
LOG_DENIED = '-A INPUT -m limit --limit 5/min -j LOG --log-prefix "denied: "'
NFT_STATES = "ct state vmap { established : accept, related : accept, invalid : drop }"
NFT_SSH4 = 'ip saddr $office4 tcp dport ssh accept comment "office"'
NFT_LOOPBACK = 'iifname "lo" accept'
NFT_NOT_SYN = (
    "tcp flags & (fin | syn | rst | ack) != syn ct state new drop  # no connection begins so"
)
NFT_WEB = "tcp dport { http, https } jump web"
NFT_HTTP3 = 'udp dport https accept comment "HTTP/3"'
NFT_LOG = 'limit rate 5/minute log prefix "denied: "'
NFT_PROMETHEUS = 'ip saddr 10.20.0.15 tcp dport 9100 accept comment "Prometheus"'
SSH4 = (
    '-A INPUT -s 198.51.100.0/24 -p tcp -m tcp --dport 22 -m comment --comment "office" -j ACCEPT'
)
SSH6 = (
    '-A INPUT -s 2001:db8:51::/48 -p tcp -m tcp --dport 22 -m comment --comment "office" -j ACCEPT'
)
