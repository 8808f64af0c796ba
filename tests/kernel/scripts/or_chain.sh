#!/bin/bash
iptables -N a && iptables -A a -j DROP && iptables -A INPUT -j a || iptables -N failed
iptables -N a && iptables -N never || iptables -N failed
false || true && iptables -N tt
true && false || iptables -N tf
{ false; true; } && iptables -N grp
if false; then :; elif iptables -C INPUT -j a; then iptables -N elif; else iptables -N else; fi
