#!/bin/bash
# A dollar that begins nothing is text.
iptables -N a$.b
iptables -A INPUT -m comment --comment $.5 -j ACCEPT
iptables -A INPUT -m comment --comment "$:x" -j a$.b
iptables -A INPUT -m comment --comment $% -j DROP
