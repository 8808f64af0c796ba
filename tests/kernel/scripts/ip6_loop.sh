#!/bin/bash
for ipt in iptables ip6tables; do
  $ipt -P INPUT DROP
  case $ipt in
    iptables) $ipt -A INPUT -p icmp -j ACCEPT ;;
    ip6tables) $ipt -A INPUT -p icmpv6 -j ACCEPT ;;
  esac
  [ $ipt = ip6tables ] && rej=icmp6-adm-prohibited || rej=icmp-admin-prohibited
  $ipt -A INPUT -j REJECT --reject-with $rej
done
type=ip6; ${type}tables -A OUTPUT -j ACCEPT
