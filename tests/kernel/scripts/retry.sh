#!/bin/bash
tries=0
until iptables -N once 2>/dev/null || [ $tries -ge 3 ]; do tries=$((tries+1)); done
ok=false
for attempt in 1 2 3; do
  if iptables -N once 2>/dev/null; then ok=true; break; fi
done
$ok || iptables -N gaveup$attempt
if ! $ok; then iptables -A gaveup3 -j DROP; fi
