#!/bin/bash
P=$(echo 22,80 | cut -d, -f2)
iptables -A INPUT -p tcp --dport $P -j ACCEPT
L=$(printf '%s\n' 443 22 80 22 | sort -n | uniq)
for p in $L; do iptables -A INPUT -p tcp --dport $p -j ACCEPT; done
n=$(echo "a b c" | wc -w)
iptables -A INPUT -p tcp --dport $n -j DROP
U=`echo accept | tr a-z A-Z`
iptables -P FORWARD $U
X=$(echo "10.0.0.1 x" | awk '{print $1}')
iptables -A INPUT -s $X -j DROP
Y=$(echo "10.0.0.1/24" | sed 's,/.*,,')
iptables -A INPUT -s $Y -j LOG
