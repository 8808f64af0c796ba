"""The kernel as judge: real rulesets in namespaces of their own, real packets, real counters.

``Firewall`` is a host with two network namespaces; ``Firewall.send`` puts one ``Packet`` through
the ruleset it has loaded and tells which rules counted it and what became of it. Nothing here
leaves those namespaces, and they are gone when the process is.
"""
