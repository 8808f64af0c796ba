#!/bin/bash
while read a; do read b; iptables -N $a$b; done <<EOF
p
q
r
s
EOF
while read x; do cat > /dev/null; iptables -N $x; done < <(printf 'one\ntwo\n')
{ read h; while read l; do iptables -A $h -m comment --comment "$l" -j RETURN; done; } <<EOF
one
l1
l2
EOF
while IFS= read -r line; do iptables -A one -m comment --comment "[$line]" -j RETURN; done <<< "  sp  "
