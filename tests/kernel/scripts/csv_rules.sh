#!/bin/bash
RULES=(
  "tcp;22;10.0.0.0/8;ssh access"
  "udp;53;;dns"   # no source
  # "tcp;99;;off"
)
for r in "${RULES[@]}"; do
  IFS=';' read -r proto port src desc <<< "$r"
  iptables -A INPUT -p "$proto" --dport "$port" ${src:+-s $src} -m comment --comment "$desc" -j ACCEPT
done
