#!/bin/bash
x=1
case $x in
 1) iptables -N one ;&
 2) iptables -N two ;;
 3) iptables -N three ;;
esac
case abc in
 a*) iptables -N a ;;&
 *c) iptables -N c ;;&
 b*) iptables -N b ;;
 *) iptables -N star ;;
esac
