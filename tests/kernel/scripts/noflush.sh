#!/bin/bash
iptables -A INPUT -p udp -j ACCEPT
iptables -N web
iptables -A web -j DROP
PORT=8080
iptables-restore --noflush <<EOF
*filter
:web - [0:0]
-A INPUT -j web
-A web -p tcp --dport $PORT -j ACCEPT
-I INPUT 1 -i lo -j ACCEPT
COMMIT
EOF
