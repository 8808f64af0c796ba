#!/bin/bash
iptables -A INPUT -p udp -j ACCEPT
iptables -t nat -A POSTROUTING -j MASQUERADE
iptables-restore <<'EOF'
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:web - [0:0]
-A INPUT -j web
-A web -p tcp --dport 80 -j ACCEPT
COMMIT
EOF
iptables -A INPUT -p tcp --dport 22 -j ACCEPT
