#!/bin/bash
function f { iptables -N f1; }
function g() { iptables -N g1; }
f; g
