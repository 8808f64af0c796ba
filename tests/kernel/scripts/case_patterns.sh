#!/bin/bash
for x in tcp udp icmp 22 eth0 ppp12 "" yes NO; do
  case "$x" in
    tcp|udp) iptables -A INPUT -p $x -j ACCEPT;;
    [0-9]*) iptables -A INPUT -p tcp --dport $x -j ACCEPT;;
    eth?) iptables -A INPUT -i $x -j ACCEPT;;
    ppp[0-9]*|tun*) iptables -A FORWARD -i $x -j DROP;;
    [Yy]es|YES) iptables -N yes;;
    [!a-z]*) iptables -N upper;;
    "") iptables -N empty;;
    *) iptables -N other_$x;;
  esac
done
