"""Root file systems made by hand, laid out as the distributions have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from iptlint.analysis.session import Settings
from iptlint.findings import Finding
from iptlint.host.collect import gather_root
from iptlint.host.examine import Examined, examine
from iptlint.host.gathered import CommandOutput, Gathered
from iptlint.linter.run import lint

CLOSED = """\
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
"""
CLOSED6 = CLOSED.replace("203.0.113.0/24", "2001:db8::/32").replace(
    "COMMIT", "-A INPUT -p ipv6-icmp -j ACCEPT\nCOMMIT"
)
NFT = """\
#!/usr/sbin/nft -f
flush ruleset
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        iifname "lo" accept
        meta l4proto ipv6-icmp accept
        ip saddr 203.0.113.0/24 tcp dport 22 accept
    }
}
"""
WANTS = "/etc/systemd/system/multi-user.target.wants"
VENDOR = "/usr/lib/systemd/system"


class Root:
    """Paths are those of the host."""

    def __init__(self, path: Path, system: str = "debian") -> None:
        self.path = path
        self.file("/etc/os-release", f'ID={system}\nPRETTY_NAME="made up {system}"\n')
        if system == "alpine":
            self.link("/etc/runlevels/default/crond", "/etc/init.d/crond")
        else:
            self.enable("getty@tty1", VENDOR)

    def file(self, path: str, text: str) -> None:
        here = self.path / path.lstrip("/")
        here.parent.mkdir(parents=True, exist_ok=True)
        here.write_text(text, encoding="utf-8")
        here.chmod(0o755 if text.startswith("#!") else 0o644)

    def link(self, path: str, target: str) -> None:
        here = self.path / path.lstrip("/")
        here.parent.mkdir(parents=True, exist_ok=True)
        here.symlink_to(target)

    def enable(self, unit: str, directory: str = VENDOR) -> None:
        self.link(f"{WANTS}/{unit}.service", f"{directory}/{unit}.service")

    def start(self, script: str) -> None:
        """OpenRC."""
        self.link(f"/etc/runlevels/default/{script}", f"/etc/init.d/{script}")

    def gather(self) -> Gathered:
        return gather_root(str(self.path))

    def alive(self, **outputs: str) -> Gathered:
        """As if it ran, and these were what the commands print; ``_`` stands for ``-``. What is
        not named has nothing to print."""
        printed = dict.fromkeys(("iptables-legacy-save", "ip6tables-legacy-save", "nft"), "")
        printed |= {name.replace("_", "-"): text for name, text in outputs.items()}
        made = {name: CommandOutput(text.encode(), 0) for name, text in printed.items()}
        return replace(self.gather(), live=True, outputs=made)


def findings(gathered: Gathered, *select: str, settings: Settings | None = None) -> list[Finding]:
    examined = examine(gathered)
    report = lint_examined(examined, select or ("IPT4",), settings)
    return [f for f in report if f.code.startswith(select or ("IPT4",))]


def lint_examined(
    examined: Examined, select: tuple[str, ...], settings: Settings | None = None
) -> list[Finding]:
    report = lint(
        examined.host.sources,
        settings,
        select,
        ipsets=examined.ipsets,
        host=examined.host,
    )
    assert not report.crashed, report.findings
    return list(report.findings)


def codes(gathered: Gathered, *select: str) -> list[str]:
    return [finding.code for finding in findings(gathered, *select)]


def outputs(gathered: Gathered, changed: Mapping[str, CommandOutput]) -> Gathered:
    return replace(gathered, outputs={**gathered.outputs, **changed})
