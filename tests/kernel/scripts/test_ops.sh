#!/bin/bash
a=1; b=; c=abc
[ "$a" = 1 -a -z "$b" ] && iptables -N t1
[ -n "$b" -o "$c" = abc ] && iptables -N t2
[ ! -z "$c" ] && iptables -N t3
test "$a" -eq 1 && iptables -N t4
[ "$a" == 1 ] && iptables -N t5
[[ $c == a* ]] && iptables -N t6
[[ $c != b* && ( $a -gt 0 || $b ) ]] && iptables -N t7
[[ "$c" == "a*" ]] || iptables -N t8
[ $b ] || iptables -N t9
[ x$b = x ] && iptables -N t10
[ \( "$a" = 1 \) -a \( "$c" = abc \) ] && iptables -N t11
[[ abc < abd ]] && iptables -N t12
[ "$a" -ne 2 ] && [ "$a" -lt 5 ] && iptables -N t13
