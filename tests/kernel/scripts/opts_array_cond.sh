#!/bin/bash
LOG=1; LIMIT=5/min
opts=()
[[ $LOG == 1 ]] && opts+=(-j LOG --log-prefix "fw: ")
(( ${#opts[@]} )) && iptables -A INPUT "${opts[@]}"
lim=${LIMIT:+-m limit --limit $LIMIT}
iptables -A INPUT -p icmp $lim -j ACCEPT
opts=("${opts[@]:0:2}"); iptables -A OUTPUT "${opts[@]}"
unset opts; iptables -A OUTPUT "${opts[@]}" -j ACCEPT
set -- a b c; args=("$@"); iptables -N ${args[2]}${#args[@]}
