#!/bin/sh
# args: start
WAN="eth0"
LAN="br0"
LAN_NET="192.168.1.0/24"
TCP_SERVICES="22 80 443"
UDP_SERVICES=""
REMOTE_TCP=""

fw_start () {
  if [ -n "$TCP_SERVICES" ]; then
    for PORT in $TCP_SERVICES; do
      iptables -A INPUT -i $WAN -p tcp --dport ${PORT} -j ACCEPT
    done
  fi
  if [ -n "$UDP_SERVICES" ] ; then
    for PORT in $UDP_SERVICES; do iptables -A INPUT -p udp --dport ${PORT} -j ACCEPT; done
  fi
  iptables -A INPUT -j REJECT
  for i in $LAN lo; do iptables -I INPUT 1 -i $i -j ACCEPT; done
  iptables -t nat -A POSTROUTING -s $LAN_NET -o $WAN -j MASQUERADE
  return 0
}
fw_stop () { iptables -F; iptables -t nat -F; iptables -t mangle -F; iptables -P INPUT ACCEPT; }
fw_save () { iptables-save > /dev/null; }
case "$1" in
  start|restart) echo -n "Starting firewall.."; fw_stop; fw_start; echo "done." ;;
  stop) fw_stop ;;
  save) fw_save ;;
  *) echo "Usage"; exit 1 ;;
esac
exit 0
