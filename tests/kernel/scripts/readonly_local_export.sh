#!/bin/bash
f() { local a=1 b; b=$((a+1)); local -r c=$b; local -i d=c*2; echo $d; }
iptables -N r$(f)
g() { local -a arr=(x y); iptables -N ${arr[1]}; arr+=(z); iptables -N n${#arr[@]}; }
g
export A=1 B="two words"
iptables -A INPUT -m comment --comment "$B" -j ACCEPT
typeset C=3; iptables -N c$C
h() { declare -g G=9; }; h; iptables -N g$G
