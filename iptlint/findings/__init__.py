"""What the linter says: findings, their labels and how sure it is."""

from iptlint.findings.finding import Cause, Confidence, Finding, Label, Severity, Telling

__all__ = ["Cause", "Confidence", "Finding", "Label", "Severity", "Telling"]
