#!/bin/bash
# args: eth0 10.0.0.0/8 22 80 443
WAN=$1; LAN=$2; shift 2
for p; do iptables -A INPUT -i $WAN -p tcp --dport $p -j ACCEPT; done
f() { iptables -A FORWARD -i "$1" -s "${2}" -j "${3:-ACCEPT}"; }
f "$WAN" "$LAN"; f $WAN $LAN DROP
echo "$0 $# $*" >/dev/null
last=${@: -1}; iptables -N l$last; iptables -N c$#
set -- "$@" 8080; iptables -N c$#
args=("$@"); iptables -N ${args[0]}-${args[-1]}
shift; iptables -N s$1; shift 10 || iptables -N shiftfail; iptables -N k$#
