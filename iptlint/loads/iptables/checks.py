"""What iptables-restore and the kernel look at: a row for each check."""

from __future__ import annotations

from iptlint.loads.refusal import Check, Stage

UNREAD = Check(
    "syntax", Stage.READING, "Error occurred at line", "iptables/iptables-restore.c, libxtables"
)
REFUSED = Check(
    "refused value", Stage.READING, "Error occurred at line", "iptables/xshared.c, extensions/"
)
