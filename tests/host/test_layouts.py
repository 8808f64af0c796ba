"""What loads rules at boot, as each distribution does it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from iptlint.host.hooks import loaders
from iptlint.model.host import Way
from tests.host.made_up import CLOSED, CLOSED6, NFT, VENDOR, WANTS, Root

Make = Callable[[Root], None]
Told = list[tuple[str, str, tuple[str, ...]]]


def told(root: Root) -> Told:
    return [
        (one.name, one.way.name, tuple(load.path for load in one.files))
        for one in loaders(root.gather())
    ]


def persistent(root: Root) -> None:
    root.enable("netfilter-persistent")
    root.file("/etc/iptables/rules.v4", CLOSED)
    root.file("/etc/iptables/rules.v6", CLOSED6)


def alias(root: Root) -> None:
    """Debian's iptables.service is another name of netfilter-persistent.service."""
    root.link("/etc/systemd/system/iptables.service", f"{VENDOR}/netfilter-persistent.service")
    root.link(f"{WANTS}/iptables.service", "/etc/systemd/system/iptables.service")
    root.file("/etc/iptables/rules.v4", CLOSED)


def nft(path: str) -> Make:
    def made(root: Root) -> None:
        root.enable("nftables")
        root.file(f"{VENDOR}/nftables.service", f"[Service]\nExecStart=/usr/sbin/nft -f {path}\n")
        root.file(path, NFT)

    return made


def nft_of_arch(root: Root) -> None:
    nft("/etc/nftables.conf")(root)
    dropped = "[Service]\nExecStart=\nExecStart=/usr/bin/nft -f /etc/fw/main.nft\n"
    root.file("/etc/systemd/system/nftables.service.d/own.conf", dropped)
    root.file(f"{VENDOR}/nftables.service", "[Unit]\nDescription=x\n")


def ufw(root: Root) -> None:
    root.enable("ufw")
    root.file("/etc/ufw/ufw.conf", "# /etc/ufw/ufw.conf\nENABLED=yes\nLOGLEVEL=low\n")


def ufw_that_is_off(root: Root) -> None:
    root.enable("ufw")
    root.file("/etc/ufw/ufw.conf", "ENABLED=no\n")


def iptables_services(root: Root) -> None:
    root.enable("iptables")
    root.enable("ip6tables")
    start = "[Service]\nExecStart=/usr/libexec/iptables/iptables.init start\n"
    root.file(f"{VENDOR}/iptables.service", start)
    root.file("/etc/sysconfig/iptables", CLOSED)
    root.file("/etc/sysconfig/ip6tables", CLOSED6)


def masked(root: Root) -> None:
    iptables_services(root)
    root.link("/etc/systemd/system/iptables.service", "/dev/null")
    root.link("/etc/systemd/system/ip6tables.service", "/dev/null")


def openrc(root: Root) -> None:
    root.start("iptables")
    root.start("ip6tables")
    root.file("/etc/iptables/rules-save", CLOSED)
    root.file("/etc/iptables/rules6-save", CLOSED6)


def openrc_nft(root: Root) -> None:
    root.start("nftables")
    root.file("/etc/nftables.nft", NFT)


def nixos(unit: str) -> Make:
    def made(root: Root) -> None:
        root.link(f"{WANTS}/{unit}.service", f"/nix/store/0abc-unit-{unit}/{unit}.service")

    return made


def interfaces(root: Root) -> None:
    text = "auto eth0\niface eth0 inet dhcp\n  pre-up iptables-restore < /etc/iptables.up.rules\n"
    root.file("/etc/network/interfaces", text)
    root.file("/etc/iptables.up.rules", CLOSED)


def hook(root: Root) -> None:
    text = "#!/bin/sh\n# loads the rules\n/sbin/iptables-restore < /etc/iptables.rules\nexit 0\n"
    root.file("/etc/network/if-pre-up.d/iptables", text)
    root.file("/etc/iptables.rules", CLOSED)


def rc_local(root: Root) -> None:
    root.file("/etc/rc.local", "#!/bin/sh -e\niptables -A INPUT -p tcp --dport 80 -j DROP\n")


def cron(root: Root) -> None:
    root.file("/etc/cron.d/fw", "@reboot root /sbin/iptables-restore /etc/iptables.rules\n")
    root.file("/etc/iptables.rules", CLOSED)


def cron_now_and_then(root: Root) -> None:
    root.file("/etc/cron.d/fw", "*/5 * * * * root /sbin/iptables-restore /etc/iptables.rules\n")


def own_unit(root: Root) -> None:
    root.file(
        "/etc/systemd/system/packets.service",
        "[Service]\nExecStart=/bin/sh -c 'iptables-restore < /etc/iptables.rules'\n",
    )
    root.enable("packets", "/etc/systemd/system")
    root.file("/etc/iptables.rules", CLOSED)


def own_script(root: Root) -> None:
    root.file("/etc/systemd/system/packets.service", "[Service]\nExecStart=/srv/start.sh\n")
    root.file("/srv/start.sh", "#!/bin/bash\nset -e\niptables -P INPUT DROP\n")
    root.enable("packets", "/etc/systemd/system")


def own_service(root: Root) -> None:
    """Has nothing to do with a firewall."""
    root.file("/etc/systemd/system/shop.service", "[Service]\nExecStart=/srv/shop.py --port 80\n")
    root.file("/srv/shop.py", "#!/usr/bin/python3\nprint('hello')\n")
    root.enable("shop", "/etc/systemd/system")
    root.enable("docker")
    root.file(f"{VENDOR}/docker.service", "[Service]\nExecStart=/usr/bin/dockerd --iptables=true\n")


def wireguard(root: Root) -> None:
    root.file(
        "/etc/wireguard/wg0.conf",
        "[Interface]\nPrivateKey = c2VjcmV0\nPostUp = iptables -A FORWARD -i %i -j ACCEPT\n",
    )


def saving(root: Root) -> None:
    text = "#!/bin/sh\niptables-save > /etc/iptables.rules\n"
    root.file("/etc/network/if-up.d/save", text)


LAYOUTS: list[tuple[str, Make, Told]] = [
    (
        "debian",
        persistent,
        [
            (
                "netfilter-persistent",
                "LOADS",
                ("/etc/iptables/rules.v4", "/etc/iptables/rules.v6"),
            )
        ],
    ),
    ("debian", alias, [("netfilter-persistent", "LOADS", ("/etc/iptables/rules.v4",))]),
    (
        "debian",
        nft("/etc/nftables.conf"),
        [("nftables.service", "LOADS", ("/etc/nftables.conf",))],
    ),
    ("arch", nft_of_arch, [("nftables.service", "LOADS", ("/etc/fw/main.nft",))]),
    ("ubuntu", ufw, [("ufw", "MAKES", ())]),
    ("ubuntu", ufw_that_is_off, []),
    (
        "rhel",
        iptables_services,
        [
            ("ip6tables.service", "LOADS", ("/etc/sysconfig/ip6tables",)),
            ("iptables.service", "LOADS", ("/etc/sysconfig/iptables",)),
        ],
    ),
    ("rhel", masked, []),
    ("rhel", lambda root: root.enable("firewalld"), [("firewalld", "MAKES", ())]),
    (
        "rhel",
        nft("/etc/sysconfig/nftables.conf"),
        [("nftables.service", "LOADS", ("/etc/sysconfig/nftables.conf",))],
    ),
    (
        "alpine",
        openrc,
        [
            ("ip6tables.service", "LOADS", ("/etc/iptables/rules6-save",)),
            ("iptables.service", "LOADS", ("/etc/iptables/rules-save",)),
        ],
    ),
    ("alpine", openrc_nft, [("nftables.service", "LOADS", ("/etc/nftables.nft",))]),
    ("nixos", nixos("firewall"), [("NixOS", "MAKES", ())]),
    ("nixos", nixos("nftables"), [("NixOS", "MAKES", ())]),
    (
        "debian",
        interfaces,
        [("/etc/network/interfaces", "LOADS", ("/etc/iptables.up.rules",))],
    ),
    ("debian", hook, [("/etc/network/if-pre-up.d/iptables", "LOADS", ("/etc/iptables.rules",))]),
    ("debian", rc_local, [("/etc/rc.local", "UNCLEAR", ())]),
    ("debian", cron, [("/etc/cron.d/fw", "LOADS", ("/etc/iptables.rules",))]),
    ("debian", cron_now_and_then, [("/etc/cron.d/fw", "UNCLEAR", ())]),
    ("debian", own_unit, [("packets.service", "LOADS", ("/etc/iptables.rules",))]),
    ("debian", own_script, [("/srv/start.sh", "UNCLEAR", ())]),
    ("debian", own_service, []),
    ("debian", wireguard, [("/etc/wireguard/wg0.conf", "UNCLEAR", ())]),
    ("debian", saving, []),
]


@pytest.mark.parametrize(("system", "make", "expected"), LAYOUTS)
def test_who_loads_rules_at_boot(tmp_path: Path, system: str, make: Make, expected: Told) -> None:
    root = Root(tmp_path, system)
    make(root)
    assert sorted(told(root)) == sorted(expected)


def test_no_secret_is_kept(tmp_path: Path) -> None:
    root = Root(tmp_path)
    wireguard(root)
    assert b"c2VjcmV0" not in b"".join(root.gather().files.values())


def test_a_link_out_of_the_root_stays_inside(tmp_path: Path) -> None:
    root = Root(tmp_path / "root")
    (tmp_path / "outside").write_text(CLOSED)
    root.enable("netfilter-persistent")
    root.link("/etc/iptables/rules.v4", "../../../outside")
    root.file("/srv/rules", CLOSED6)
    root.link("/etc/iptables/rules.v6", "/srv/rules")
    files = root.gather().files
    assert "/etc/iptables/rules.v4" not in files
    assert files["/etc/iptables/rules.v6"] == CLOSED6.encode()


def test_a_unit_that_may_not_be_read_is_not_understood(tmp_path: Path) -> None:
    root = Root(tmp_path)
    own_script(root)
    gathered = root.gather()
    files = {p: d for p, d in gathered.files.items() if p != "/srv/start.sh"}
    from dataclasses import replace

    from iptlint.model.host import Unread

    shut = (Unread("/srv/start.sh", "Permission denied"),)
    (one,) = loaders(replace(gathered, files=files, unread=shut))
    assert one.way is Way.UNCLEAR


def test_a_script_that_rc_local_calls(tmp_path: Path) -> None:
    root = Root(tmp_path)
    root.file("/etc/rc.local", "#!/bin/sh\nsh /root/start.sh\nexit 0\n")
    root.file("/root/start.sh", "#!/bin/sh\niptables -A INPUT -j DROP\n")
    assert told(root) == [("/root/start.sh", "UNCLEAR", ())]


def test_a_list_of_rules_is_no_script(tmp_path: Path) -> None:
    root = Root(tmp_path)
    root.file("/etc/rc.local", "#!/bin/sh\nnft -f /etc/my/firewall.nft\n")
    root.file("/etc/my/firewall.nft", "table inet firewall {\n}\n")
    assert told(root) == [("/etc/rc.local", "LOADS", ("/etc/my/firewall.nft",))]


def test_a_hook_that_may_not_be_run(tmp_path: Path) -> None:
    root = Root(tmp_path)
    hook(root)
    (tmp_path / "etc/network/if-pre-up.d/iptables").chmod(0o644)
    assert told(root) == []


def test_an_old_script_beside_a_unit_that_is_off(tmp_path: Path) -> None:
    root = Root(tmp_path)
    root.file(f"{VENDOR}/netfilter-persistent.service", "[Service]\nExecStart=/sbin/x start\n")
    root.link("/etc/rc2.d/S01netfilter-persistent", "../init.d/netfilter-persistent")
    assert told(root) == []
