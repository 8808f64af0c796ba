#!/bin/bash
eth0_ports="22 80"; eth1_ports="53"
for ifc in eth0 eth1; do
  var="${ifc}_ports"
  for p in ${!var}; do iptables -A INPUT -i $ifc -p tcp --dport $p -j ACCEPT; done
  eval "list=\${${ifc}_ports}"
  set -- $list
  iptables -N "n_${ifc}_$#"
done
declare "dyn_x=5"; iptables -N d$dyn_x
export EXP_Y=6; iptables -N e$EXP_Y
read -r A B <<< "$(echo 1 2)"; iptables -N r$A$B
