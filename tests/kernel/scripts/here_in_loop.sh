#!/bin/bash
for c in web db; do
iptables-restore -n <<EOF
*filter
:$c - [0:0]
-A $c -j RETURN
-A INPUT -j $c
COMMIT
EOF
done
while IFS=: read -r c p; do iptables -I $c -p tcp --dport $p -j ACCEPT; done <<-EOF
	web:80
	db:5432
	EOF
