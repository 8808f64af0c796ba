#!/bin/bash
f() { local x=in; g; }
g() { iptables -N $x; x=changed; }
x=out
f; g
iptables -N $x
