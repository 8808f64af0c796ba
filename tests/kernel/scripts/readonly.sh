#!/bin/bash
readonly PORT=22
declare -r PROTO=tcp
iptables -A INPUT -p $PROTO --dport $PORT -j ACCEPT
typeset -i n=5
n=n+3
iptables -A INPUT -p $PROTO --dport $n -j ACCEPT
