#!/bin/bash
f() { if [ -z "$1" ]; then return; fi; iptables -N $1; }
f; f ok
g() { iptables -N g1 && return 0; iptables -N never; }
g || iptables -N gfail
h() { iptables -N g1 2>/dev/null && return 0 || return 4; }
h; [ $? -eq 4 ] && iptables -N four
k() { true; return; }; k && iptables -N ktrue
m() { false; return; }; m || iptables -N mfalse
