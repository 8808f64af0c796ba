#!/bin/bash
out="inet addr:10.1.2.3  Bcast:10.1.2.255
inet6 fe80::1"
ip=$(echo "$out" | grep 'inet addr:' | cut -d: -f2 | awk '{ print $1}')
iptables -A INPUT -d $ip -j ACCEPT
ip2=$(echo "$out" | sed -n 's/.*addr:\([0-9.]*\).*/\1/p')
iptables -A INPUT -s $ip2 -j ACCEPT
ip3=$(awk '/inet6/{print $2}' <<< "$out")
ip6tables -A INPUT -s $ip3 -j ACCEPT
IFS=. read -r a b c d <<< "$ip"
iptables -A INPUT -s "$a.$b.0.0/16" -j DROP
net="${ip%.*}.0/24"; iptables -A INPUT -s $net -j LOG
last=${ip##*.}; iptables -A INPUT -p tcp --dport $((last+1000)) -j DROP
