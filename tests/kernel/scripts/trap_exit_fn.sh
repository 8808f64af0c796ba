#!/bin/bash
cleanup() { iptables -X tmp; }
trap cleanup EXIT INT TERM
iptables -N tmp
iptables -N keep
exit 0
