#!/bin/bash
CHAIN=${CHAIN:-MYCHAIN}
iptables -n --list "$CHAIN" >/dev/null 2>&1
if [ $? -eq 0 ]; then iptables -F $CHAIN; else iptables -N $CHAIN; fi
iptables -n --list "$CHAIN" >/dev/null 2>&1
if [ "$?" != "0" ]; then iptables -N not; else iptables -A $CHAIN -j RETURN; fi
iptables -D INPUT -j $CHAIN 2> /dev/null
iptables -I INPUT -j $CHAIN
