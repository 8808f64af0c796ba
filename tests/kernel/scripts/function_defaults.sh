#!/bin/bash
allow() {
  local port="${1:?port}" proto="${2:-tcp}" src="${3:-0.0.0.0/0}"
  shift; shift 2>/dev/null; shift 2>/dev/null
  iptables -A INPUT -p "$proto" -s "$src" --dport "$port" "$@" -j ACCEPT
}
allow 22
allow 53 udp
allow 80 tcp 10.0.0.0/8
allow 81 tcp 10.0.0.0/8 -m comment --comment "x y"
