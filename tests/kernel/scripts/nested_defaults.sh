#!/bin/bash
unset A B; C=c
iptables -N ${A:-${B:-$C}}1
iptables -N ${A:-x${C}y}
D=${A:-"two words"}; iptables -A INPUT -m comment --comment "$D" -j ACCEPT
iptables -A INPUT ${A:+-s 1.1.1.1} ${C:+-p tcp --dport 22} -j ACCEPT
iptables -A INPUT -m comment --comment "${C:+has \"c\"}" -j ACCEPT
: ${E:=$((1+1))}; iptables -N e$E
F=${C/c/}; iptables -N f${F:-empty}
G="${H-}"; [ -z "$G" ] && iptables -N gempty
