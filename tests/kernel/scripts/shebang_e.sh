#!/bin/sh -e
iptables -N a
iptables -X nope
iptables -N b
