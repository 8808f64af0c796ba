#!/bin/bash
cmd="iptables -A INPUT"
opts="-p tcp"
opts="$opts --dport 22"
opts+=" -j ACCEPT"
$cmd $opts
R=""
for m in "-i eth0" "-s 10.0.0.1"; do R="$R $m"; done
iptables -A FORWARD $R -j ACCEPT
args=()
args+=(-p udp); args+=(--dport 53)
[[ -n ${DEST:=10.9.9.9} ]] && args+=(-d "$DEST")
iptables -A FORWARD "${args[@]}" -j ACCEPT
do_it() { eval "$1 $2"; }
do_it "iptables -P" "FORWARD DROP"
