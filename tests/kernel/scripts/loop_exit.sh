#!/bin/bash
printf '1\n2\n3\n' | while read x; do [ $x = 2 ] && exit 5; iptables -N a$x; done
echo $?
iptables -N rc$?
for i in 1 2; do ( exit 3 ) || { iptables -N f$i; continue; }; iptables -N never; done
f() { for i in 1 2 3; do [ $i = 2 ] && return $i; iptables -N g$i; done; }
f; iptables -N r$?
