#!/bin/bash
n=5
[ $((n % 2)) -eq 1 ] && iptables -N odd
[[ $n -gt 3 && $n -lt 10 ]] && iptables -N mid
if (( n > 3 )) && (( n < 4 )); then iptables -N no; else iptables -N yes; fi
[ "$n" -gt "3" ] && [ ! "$n" -gt 7 ] && iptables -N range
x=$(( n > 3 ? 80 : 443 )); iptables -A INPUT -p tcp --dport $x
((n-=5)) || iptables -N zero
declare -i k; k="2*3"; iptables -N k$k
