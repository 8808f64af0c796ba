#!/bin/sh
COUNT=0
inc() { COUNT=$((COUNT+1)); iptables -N "c$COUNT"; }
inc; inc
( inc )
inc
x=$(inc; echo $COUNT)
iptables -A "c$x" -j DROP
echo | inc
iptables -N last$COUNT
