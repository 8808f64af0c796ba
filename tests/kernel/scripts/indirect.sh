#!/bin/bash
WAN_PORTS="22 80"
for z in WAN; do v=${z}_PORTS; for p in ${!v}; do iptables -A INPUT -p tcp --dport $p -j ACCEPT; done; done
eval "p=\$${z}_PORTS"
for q in $p; do iptables -A OUTPUT -p tcp --sport $q -j ACCEPT; done
