#!/bin/bash
declare -A ports=([ssh]=22 [web]=80)
ports[dns]=53
iptables -A INPUT -p tcp --dport ${ports[ssh]} -j ACCEPT
iptables -A INPUT -p tcp --dport "${ports[web]}" -j ACCEPT
n=dns
iptables -A INPUT -p udp --dport ${ports[$n]} -j ACCEPT
[ -n "${ports[nope]}" ] || iptables -A INPUT -j LOG
[[ -v ports[ssh] ]] && iptables -A INPUT -p icmp -j ACCEPT
iptables -A INPUT -p tcp --dport ${#ports[@]} -j DROP
