#!/bin/bash
HP=10.0.0.5:8080/tcp
H=${HP%%:*}; R=${HP#*:}; P=${R%/*}; T=${HP##*/}
iptables -A INPUT -s $H -p $T --dport $P -j ACCEPT
f=/etc/fw/rules.d/10-web.conf; b=${f##*/}; c=${b%.conf}
iptables -N ${c#10-}
d=${f%/*}
iptables -A INPUT -m comment --comment "$d" -j ACCEPT
