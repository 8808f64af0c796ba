#!/bin/bash
# args: --iface eth1 --drop --port=8080
while [[ $# -gt 0 ]]; do
  case "$1" in
    --iface) IFACE="$2"; shift 2 ;;
    --drop) POL=DROP; shift ;;
    --port=*) PORT="${1#*=}"; shift ;;
    *) exit 2 ;;
  esac
done
iptables -P FORWARD ${POL:-ACCEPT}
iptables -A FORWARD -i "$IFACE" -p tcp --dport "$PORT" -j ACCEPT
