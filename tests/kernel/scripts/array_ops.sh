#!/bin/bash
A=(a b c d)
iptables -N ${A[@]:1:1}
for x in "${A[@]:2}"; do iptables -N $x; done
unset 'A[0]'
iptables -N n${#A[@]}
for i in "${!A[@]}"; do iptables -N i$i; done
B=("${A[@]}" e)
iptables -N l${#B[@]}
for p in "${B[@]/#/p_}"; do iptables -N $p; done
C=($(echo x y)); iptables -N ${C[1]}
D=([5]=five [2]=two); iptables -N ${D[5]}
