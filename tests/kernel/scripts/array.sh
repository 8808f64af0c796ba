#!/bin/bash
PORTS=(22 80 443)
PORTS+=(8080)
for p in "${PORTS[@]}"; do iptables -A INPUT -p tcp --dport "$p" -j ACCEPT; done
echo ${#PORTS[@]}
iptables -A INPUT -p tcp --dport ${PORTS[1]} -j DROP
iptables -A INPUT -p tcp --dport ${PORTS[-1]} -j DROP
iptables -A INPUT -p tcp -m multiport --dports $(IFS=,; echo "${PORTS[*]}") -j LOG
