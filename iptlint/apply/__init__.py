"""Puts rules into the kernel by the real tools, and takes them back unless somebody confirms.

The only room that changes a host, and only as ``iptlint apply`` says.
"""
