#!/bin/bash
add_rule() {
  local table=filter
  if [ "$1" = -t ]; then table=$2; shift 2; fi
  local chain=$1; shift
  if iptables -t "$table" -C "$chain" "$@" 2>/dev/null; then
    echo "exists: $chain $*"
  else
    iptables -t "$table" -A "$chain" "$@"
  fi
}
add_rule INPUT -p tcp --dport 22 -j ACCEPT
add_rule INPUT -p tcp --dport 22 -j ACCEPT
add_rule -t nat POSTROUTING -o eth0 -j MASQUERADE
add_rule INPUT -m comment --comment "with space" -j ACCEPT
add_rule INPUT -m comment --comment "with space" -j ACCEPT
ensure_chain() { iptables -n -L "$1" >/dev/null 2>&1 || iptables -N "$1"; iptables -F "$1"; }
ensure_chain MYCHAIN; ensure_chain MYCHAIN
iptables -C INPUT -j MYCHAIN 2>/dev/null || iptables -I INPUT -j MYCHAIN
