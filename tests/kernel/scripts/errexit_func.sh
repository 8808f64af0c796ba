#!/bin/bash
set -e
f() { iptables -N a; iptables -N a; iptables -N b; }
f || true
f2() { iptables -N c; iptables -N c; iptables -N d; }
f2
iptables -N e
