#!/bin/bash
P=22; Q=x
iptables-restore <<EOF
*filter
:INPUT ACCEPT [0:0]
$(for i in 80 443; do echo "-A INPUT -p tcp --dport $i -j ACCEPT"; done)
-A INPUT -p tcp --dport $P -j ACCEPT
-A INPUT -m comment --comment "\$Q \`x\`" -j DROP
COMMIT
EOF
