#!/bin/bash
# args: -p 22 -i eth0 -d extra
policy=ACCEPT
while getopts "p:i:dh" o; do
  case $o in
    p) port=$OPTARG;;
    i) ifc=$OPTARG;;
    d) policy=DROP;;
    h) exit 0;;
  esac
done
shift $((OPTIND-1))
iptables -A INPUT -i $ifc -p tcp --dport $port -j ACCEPT
iptables -P INPUT $policy
iptables -A INPUT -m comment --comment "$1" -j LOG
