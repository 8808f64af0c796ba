"""Run as a program under `unshare -n`: loads sets and rules, injects frames, prints counters.

Standard input: JSON with ``restore`` (text for ipset restore), ``rules`` (family "ip" or "ip6"
to what follows `-A PREROUTING`, one counter each) and ``frames`` ([family, hexadecimal IP packet,
source MAC or null]). Standard output: JSON with ``save`` (what `ipset save` prints before the
first frame) and ``hits``: for every frame, the numbers of the rules of its family that matched.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time

TOOLS = {"ip": "iptables", "ip6": "ip6tables"}
ETHERTYPES = {"ip": 0x0800, "ip6": 0x86DD}
NEAR, FAR = "02:00:00:00:00:aa", "02:00:00:00:00:bb"


def run(*command: str, text: str | None = None) -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=20)
    if done.returncode:
        sys.exit(f"{command}: {done.stderr}")
    return done.stdout


def counters(family: str) -> list[int]:
    listing = run(TOOLS[family], "-t", "raw", "-nvxL", "PREROUTING").splitlines()[2:]
    return [int(line.split()[0]) for line in listing]


def mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def main() -> None:
    asked = json.load(sys.stdin)
    run("ip", "link", "add", "near", "address", NEAR, "type", "veth", "peer", "far", "address", FAR)
    for device in ("near", "far"):
        run("ip", "link", "set", device, "up")
    run("ipset", "restore", text=asked["restore"])
    saved = run("ipset", "save")
    for family, rules in asked["rules"].items():
        lines = "".join(f"-A PREROUTING -i far {rule}\n" for rule in rules)
        run(f"{TOOLS[family]}-restore", text=f"*raw\n{lines}COMMIT\n")
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind(("near", 0))
    hits = []
    for family, packet, source in asked["frames"]:
        before = counters(family)
        head = mac(FAR) + mac(source or NEAR) + ETHERTYPES[family].to_bytes(2, "big")
        wire.send((head + bytes.fromhex(packet)).ljust(60, b"\0"))
        time.sleep(0.002)
        after = counters(family)
        hits.append(
            [n for n, (old, new) in enumerate(zip(before, after, strict=True)) if new > old]
        )
    json.dump({"save": saved, "hits": hits}, sys.stdout)


main()
