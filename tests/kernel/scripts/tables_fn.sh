#!/bin/bash
IPTABLES=$(which iptables)
[ -x "$IPTABLES" ] || exit 1
$IPTABLES -A INPUT -j ACCEPT
IPT=`command -v iptables`
$IPT -A OUTPUT -j ACCEPT
if ! command -v ip6tables >/dev/null 2>&1; then echo none; exit 1; fi
ip6tables -A OUTPUT -j ACCEPT
hash ipset 2>/dev/null && iptables -N hasipset
