#!/bin/bash
iptables -N a &
wait
iptables -A a -j DROP
{ iptables -N b; iptables -N c; } &
wait $!
