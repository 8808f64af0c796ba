#!/bin/bash
trap 'iptables -F' EXIT
iptables -A INPUT -j DROP
trap - EXIT
