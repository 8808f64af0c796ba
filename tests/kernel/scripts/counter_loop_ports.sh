#!/bin/bash
START=6000; END=6003
for ((p=START; p<=END; p++)); do iptables -A INPUT -p tcp --dport $p -j ACCEPT; done
for p in $(seq $START 2 $END); do iptables -A INPUT -p udp --dport $p -j ACCEPT; done
p=$START
while (( p <= END )); do iptables -A OUTPUT -p tcp --sport $p; ((p += 2)); done
let "q = END - START"; iptables -A INPUT -p tcp -m multiport --dports $START:$((START+q)) -j DROP
