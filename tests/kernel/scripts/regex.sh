#!/bin/bash
ip=10.1.2.3/24
if [[ $ip =~ ^([0-9.]+)/([0-9]+)$ ]]; then iptables -A INPUT -s ${BASH_REMATCH[1]} -j ACCEPT; iptables -A INPUT -p tcp --dport ${BASH_REMATCH[2]} -j DROP; fi
[[ $ip =~ : ]] && iptables -N v6 || iptables -N v4
re='^[a-z]+$'
[[ abc =~ $re ]] && iptables -N word
[[ ab1 =~ $re ]] || iptables -N noword
[[ "10.0.0.1" =~ ^[0-9]{1,3}(\.[0-9]{1,3}){3}$ ]] && iptables -N dotted
