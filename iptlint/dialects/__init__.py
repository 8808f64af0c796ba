"""The languages firewalls are written in: text to tree to model, one package a language."""

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.readers import read, unread
from iptlint.dialects.reading import Reader, Reading

__all__ = ["Diagnostic", "Reader", "Reading", "read", "unread"]
