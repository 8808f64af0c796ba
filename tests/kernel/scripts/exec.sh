#!/bin/bash
iptables -N a
exec iptables -N b
iptables -N c
