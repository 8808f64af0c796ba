#!/bin/bash
: ${PORT:=22}
: "${PROTO:=tcp}"
iptables -A INPUT -p $PROTO --dport ${PORT} -j ${TARGET-ACCEPT}
E=
iptables -A INPUT -p tcp --dport ${E:-80} ${E:+-s 1.1.1.1} -j ACCEPT
iptables -A INPUT -p tcp --dport 81 ${PORT:+-s 1.1.1.1} -j ACCEPT
iptables -A INPUT -p tcp --dport 82${E-9} -j ACCEPT
