#!/bin/bash
command iptables -N a
builtin true && iptables -N b
sudo iptables -N c
sudo -n iptables -N d
time iptables -N e
! iptables -N f && iptables -N g
nice -n 5 iptables -N h
env iptables -N i
env X=1 iptables -N j
\iptables -N k
"iptables" -N l
