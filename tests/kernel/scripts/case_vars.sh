#!/bin/bash
pat='a*'; v=abc
case $v in "$pat") iptables -N quoted;; $pat) iptables -N unq;; esac
case "a*" in "$pat") iptables -N lit;; esac
case $v in [[:alpha:]]*) iptables -N alpha;; esac
case x in x|y|z) iptables -N xyz;; esac
case 192.168.1.5 in 10.*|192.168.*) iptables -N priv;; *) iptables -N pub;; esac
case "" in ?*) iptables -N some;; '') iptables -N none;; esac
case $v in (abc) iptables -N paren;; esac
case a/b in */*) iptables -N slash;; esac
case 'a b' in a\ b) iptables -N sp;; esac
