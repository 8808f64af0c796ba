#!/bin/bash
f() { [ "$1" = a ] && return 0; return 7; iptables -N never; }
f a && iptables -N ok
f b || iptables -N code$?
f b; iptables -N c$?
g() { iptables -D INPUT -j ACCEPT 2>/dev/null; }
g || iptables -N gfailed
