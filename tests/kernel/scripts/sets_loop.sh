#!/bin/bash
declare -A SETS=( [good]="10.0.0.1 10.0.0.2" [bad]="192.0.2.0/24" )
for s in "${!SETS[@]}"; do
  ipset create $s hash:net
  for e in ${SETS[$s]}; do ipset add $s $e; done
done
for s in bad good; do
  [ $s = bad ] && t=DROP || t=ACCEPT
  iptables -A INPUT -m set --match-set $s src -j $t
done
for k in "${SETS[@]}"; do :; done
[[ ${SETS[good]+x} ]] && iptables -N hasgood
[[ -z ${SETS[none]+x} ]] && iptables -N nonone
