#!/bin/sh
# args: start
IPT=/usr/sbin/iptables
IPT=iptables
start() {
  $IPT -P INPUT DROP
  $IPT -A INPUT -i lo -j ACCEPT
  for p in 22 80 443; do $IPT -A INPUT -p tcp --dport $p -j ACCEPT; done
}
stop() {
  $IPT -F; $IPT -X; $IPT -P INPUT ACCEPT
}
case "$1" in
  start) start ;;
  stop) stop ;;
  restart|reload) stop; start ;;
  *) echo "Usage: $0 {start|stop}"; exit 1 ;;
esac
