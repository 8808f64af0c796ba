#!/bin/bash
SET=blocklist; TMP=${SET}-new
LIST="
1.2.3.0/24   # bad
5.6.7.8
"
ipset create -exist $SET hash:net
ipset create $TMP hash:net 2>/dev/null || ipset flush $TMP
echo "$LIST" | sed -e 's/#.*//' -e 's/[[:space:]]*$//' | grep -v '^$' | while read -r net; do
  ipset add $TMP "$net" -exist
done
ipset swap $TMP $SET && ipset destroy $TMP
iptables -C INPUT -m set --match-set $SET src -j DROP 2>/dev/null || iptables -I INPUT 1 -m set --match-set $SET src -j DROP
