#!/bin/bash
f() ( x=2; iptables -N sub$x )
x=1; f; iptables -N main$x
