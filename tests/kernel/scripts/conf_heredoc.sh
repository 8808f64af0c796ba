#!/bin/bash
conf=$(mktemp)
cat >"$conf" <<'END'
# name   proto port  from
ssh      tcp   22    10.0.0.0/8
web      tcp   80    any
; disabled
dns      udp   53    192.168.0.0/16,10.0.0.0/8
END
line=0
while read -r name proto port from _; do
  line=$((line + 1))
  [[ -z $name || $name == \#* || $name == ";" ]] && continue
  iptables -N "svc-$name"
  if [[ $from == any ]]; then src=(); else src=(-s "$from"); fi
  iptables -A INPUT "${src[@]}" -p "$proto" --dport "$port" -j "svc-$name"
  iptables -A "svc-$name" -m comment --comment "line $line" -j ACCEPT
done < "$conf"
rm -f "$conf"
