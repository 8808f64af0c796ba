#!/bin/bash
printf -v NAME 'chain_%02d' 7
iptables -N $NAME
iptables -N $(printf '%s-%s' a b)
iptables -N $(printf '%x' 255)
iptables -N "$(printf '%5s' q | tr ' ' _)"
printf 'iptables -N %s\n' m1 m2 | bash
printf 'iptables -N %s\n' m3 | sh -s
