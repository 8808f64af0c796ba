#!/bin/bash
. "$(dirname "$0")/settings.conf"
iptables -A INPUT -i $WAN -p tcp --dport $SSH -j ACCEPT
[ -f "$(dirname $0)/nothere.conf" ] && . "$(dirname $0)/nothere.conf"
helper
