#!/usr/bin/env bash
set -euo pipefail
readonly IPT4="iptables -w 5" IPT6="ip6tables -w 5"
both() { $IPT4 "$@"; $IPT6 "$@"; }
reset() {
  local cmd table
  for cmd in "$IPT4" "$IPT6"; do
    for table in filter nat mangle; do
      $cmd -t "$table" -F
      $cmd -t "$table" -X
    done
    for chain in INPUT FORWARD OUTPUT; do $cmd -P $chain ACCEPT; done
  done
}
reset
both -N LOGDROP
both -A LOGDROP -m limit --limit 5/min -j LOG --log-prefix "drop: "
both -A LOGDROP -j DROP
declare -a PORTS=(22/tcp 53/udp 443/tcp)
for spec in "${PORTS[@]}"; do
  port="${spec%/*}"; proto="${spec#*/}"
  both -A INPUT -p "$proto" --dport "$port" -m conntrack --ctstate NEW -j ACCEPT
done
$IPT4 -A INPUT -p icmp -j ACCEPT
$IPT6 -A INPUT -p ipv6-icmp -j ACCEPT
both -A INPUT -j LOGDROP
both -P INPUT DROP
