#!/bin/sh
ports="22 80 443"
while [ -n "$ports" ]; do
  p=${ports%% *}
  iptables -A INPUT -p tcp --dport $p -j ACCEPT
  case $ports in *' '*) ports=${ports#* } ;; *) ports= ;; esac
done
s=a,b,c
until [ "$s" = "${s#*,}" ]; do iptables -N ${s%%,*}; s=${s#*,}; done; iptables -N $s
oIFS="$IFS"; IFS=','; set -- 1,2 3; IFS="$oIFS"
for i do iptables -N n$i 2>/dev/null; done
IFS=,; set -- $(echo 7,8); unset IFS; iptables -N s$1-$2
