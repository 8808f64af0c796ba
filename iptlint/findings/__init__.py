"""What the linter says: findings, their labels and how sure it is."""

from iptlint.findings.finding import Confidence, Finding, Label, Severity

__all__ = ["Confidence", "Finding", "Label", "Severity"]
