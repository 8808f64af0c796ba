"""Random clouds of one machine, and a walker that sends packets through them one by one.

Must not import iptlint. A cloud is the documents that the aws CLI would print, and a host with a
few rules; the walker reads the same documents, packet by packet, and says which layer stops a
connection first: its first packet, those that follow, and the answers.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

Json = dict[str, Any]

OWNER, VPC, SUBNET, OTHER_SUBNET = "123456789012", "vpc-1", "subnet-1", "subnet-2"
PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1, "ipv6-icmp": 58, "gre": 47}
UNKNOWN = "unknown"
"""The layer of a packet that nobody can tell of: it is behind another gateway."""


@dataclass(frozen=True)
class Packet:
    """What opens a connection: an echo request, where it is ICMP."""

    version: int
    client: str
    proto: str
    sport: int = 0
    dport: int = 0

    @property
    def number(self) -> int:
        return PROTOCOLS[self.proto]

    @property
    def has_ports(self) -> bool:
        return self.proto in ("tcp", "udp")


@dataclass(frozen=True)
class HostRule:
    chain: str
    verdict: str
    network: str | None = None
    proto: str | None = None
    ports: tuple[int, int] | None = None
    states: tuple[str, ...] = ()

    def text(self) -> str:
        side = "-s" if self.chain == "INPUT" else "-d"
        port = "--dport" if self.chain == "INPUT" else "--sport"
        words = ["-A", self.chain]
        words += [side, self.network] if self.network else []
        words += ["-p", self.proto] if self.proto else []
        words += [port, f"{self.ports[0]}:{self.ports[1]}"] if self.ports else []
        words += ["-m", "conntrack", "--ctstate", ",".join(self.states)] if self.states else []
        return " ".join([*words, "-j", self.verdict])

    def takes(self, packet: Packet, port: int, state: str) -> bool:
        """``port``: that of the machine, after translation."""
        if self.network and ip_address(packet.client) not in ip_network(self.network):
            return False
        if self.proto and self.proto != packet.proto:
            return False
        if self.ports and not (packet.has_ports and self.ports[0] <= port <= self.ports[1]):
            return False
        return not self.states or state in self.states


@dataclass
class Cloud:
    """``own``: the machine's address by version; ``redirects``: ports of tcp at the host."""

    documents: dict[str, Json]
    own: dict[int, str]
    rules: dict[int, list[HostRule]]
    policies: dict[int, dict[str, str]]
    redirects: dict[int, dict[int, int]] = field(default_factory=dict)

    def host_text(self, version: int) -> str:
        lines = ["*nat", ":PREROUTING ACCEPT [0:0]"]
        for port, to in self.redirects[version].items():
            lines.append(f"-A PREROUTING -p tcp --dport {port} -j REDIRECT --to-ports {to}")
        lines += ["COMMIT", "*filter"]
        for chain in ("INPUT", "FORWARD", "OUTPUT"):
            lines.append(f":{chain} {self.policies[version].get(chain, 'DROP')} [0:0]")
        lines += [rule.text() for rule in self.rules[version]]
        return "\n".join([*lines, "COMMIT", ""])


# --- making one ------------------------------------------------------------------------------

NETWORKS = {
    4: ["0.0.0.0/0", "198.51.100.0/24", "198.51.100.0/28", "203.0.113.0/25", "10.0.0.0/16",
        "10.0.1.0/24", "10.0.2.0/24", "10.0.2.7/32", "10.9.0.0/16", "192.0.2.1/32"],
    6: ["::/0", "2001:db8:1::/48", "2001:db8:1:2::/64", "2001:db8:ff::/48", "2001:db8:9::7/128"],
}  # fmt: skip
CLIENTS = {
    4: ["198.51.100.7", "198.51.100.20", "203.0.113.5", "203.0.113.200", "10.0.1.9", "10.0.2.7",
        "10.0.2.8", "10.0.77.1", "10.9.1.1", "192.0.2.1", "8.8.8.8", "172.16.0.9"],
    6: ["2001:db8:1:1::9", "2001:db8:1:2::7", "2001:db8:1:2::8", "2001:db8:9::7", "2001:db8:ff::1",
        "2600::1", "fd00::5"],
}  # fmt: skip
EDGES = (0, 22, 23, 80, 443, 444, 1023, 1024, 5432, 8080, 32767, 32768, 40000, 60999, 61000, 65535)


class Maker:
    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def one_of(self, several: list[Any]) -> Any:
        return self.rng.choice(several)

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def ports(self) -> tuple[int, int]:
        if self.chance(0.3):
            return self.one_of([(1024, 65535), (32768, 60999), (0, 65535)])
        low = self.one_of([*EDGES])
        return (low, low) if self.chance(0.6) else (low, max(low, self.one_of([*EDGES])))

    def version(self) -> int:
        return 4 if self.chance(0.65) else 6

    def acl_entry(self, number: int, egress: bool) -> Json:
        version = self.version()
        proto = self.one_of(["-1", "6", "6", "6", "17", "1" if version == 4 else "58", "47"])
        action = "allow" if self.chance(0.75) else "deny"
        entry: Json = {"RuleNumber": number, "Egress": egress, "RuleAction": action}
        entry["Protocol"] = proto
        networks = NETWORKS[version]
        network = networks[0] if self.chance(0.5) else self.one_of(networks)
        entry["CidrBlock" if version == 4 else "Ipv6CidrBlock"] = network
        if proto in ("6", "17") and self.chance(0.9):
            low, high = self.ports()
            entry["PortRange"] = {"From": low, "To": high}
        if proto in ("1", "58"):
            kind = self.one_of([-1, 8, 0, 128, 129, 3])
            entry["IcmpTypeCode"] = {"Type": kind, "Code": self.one_of([-1, 0])}
        return entry

    def acl(self, name: str, subnet: str) -> Json:
        entries = []
        for egress in (False, True):
            numbers = self.rng.sample(range(1, 200), self.rng.randint(1, 6))
            entries += [self.acl_entry(number, egress) for number in numbers]
            if self.chance(0.7):
                everything = "0.0.0.0/0" if self.chance(0.6) else "::/0"
                key = "Ipv6CidrBlock" if ":" in everything else "CidrBlock"
                entries.append(
                    {"RuleNumber": 300, "Egress": egress, "RuleAction": "allow", key: everything}
                    | {"Protocol": "-1"}
                )
            closing = {"RuleNumber": 32767, "Egress": egress, "RuleAction": "deny"}
            entries.append(closing | {"Protocol": "-1", "CidrBlock": "0.0.0.0/0"})
        self.rng.shuffle(entries)
        return {"NetworkAclId": name, "VpcId": VPC, "IsDefault": False, "Entries": entries,
                "Associations": [{"NetworkAclId": name, "SubnetId": subnet}]}  # fmt: skip

    def permission(self) -> Json:
        proto = self.one_of(["-1", "tcp", "tcp", "tcp", "udp", "icmp", "icmpv6", "47"])
        permission: Json = {"IpProtocol": proto, "IpRanges": [], "Ipv6Ranges": []}
        permission |= {"PrefixListIds": [], "UserIdGroupPairs": []}
        if proto in ("tcp", "udp"):
            low, high = self.ports()
            permission |= {"FromPort": low, "ToPort": high}
        elif proto in ("icmp", "icmpv6"):
            permission |= {"FromPort": self.one_of([-1, 8, 128]), "ToPort": -1}
        match self.rng.randrange(5):
            case 0:
                permission["UserIdGroupPairs"] = [
                    {"UserId": OWNER, "GroupId": self.one_of(["sg-1", "sg-2", "sg-3"])}
                ]
            case 1:
                permission["PrefixListIds"] = [{"PrefixListId": "pl-1"}]
            case 2:
                permission["Ipv6Ranges"] = [{"CidrIpv6": self.one_of(NETWORKS[6])}]
            case _:
                permission["IpRanges"] = [{"CidrIp": self.one_of(NETWORKS[4])}]
        return permission

    def group(self, name: str) -> Json:
        rules = [self.permission() for _ in range(self.rng.randint(0, 4))]
        if self.chance(0.35):
            every = {"IpRanges": [{"CidrIp": "0.0.0.0/0"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
            rules.append({"IpProtocol": self.one_of(["-1", "tcp"]), **every})
            rules[-1] |= {"FromPort": 0, "ToPort": 65535}
        out = [self.permission() for _ in range(self.rng.randint(0, 4))]
        if self.chance(0.5):
            every = {"IpRanges": [{"CidrIp": "0.0.0.0/0"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
            out.append({"IpProtocol": "-1", **every})
        return {"GroupId": name, "GroupName": name, "OwnerId": OWNER, "VpcId": VPC,
                "IpPermissions": rules, "IpPermissionsEgress": out}  # fmt: skip

    def routes(self) -> list[Json]:
        local = [{"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local"},
                 {"DestinationIpv6CidrBlock": "2001:db8:1::/48", "GatewayId": "local"}]  # fmt: skip
        ways: list[Json] = [
            {"GatewayId": "igw-1"}, {"GatewayId": "igw-1"}, {"NatGatewayId": "nat-1"},
            {"VpcPeeringConnectionId": "pcx-1"}, {"GatewayId": "igw-1", "State": "blackhole"},
            {"EgressOnlyInternetGatewayId": "eigw-1"},
        ]  # fmt: skip
        more = []
        if self.chance(0.95):
            way = ways[0] if self.chance(0.8) else self.one_of(ways)
            more.append({"DestinationCidrBlock": "0.0.0.0/0", **way})
        if self.chance(0.9):
            way = ways[0] if self.chance(0.8) else self.one_of(ways)
            more.append({"DestinationIpv6CidrBlock": "::/0", **way})
        for network in ("10.9.0.0/16", "198.51.100.0/28", "203.0.113.0/24"):
            if self.chance(0.25):
                more.append({"DestinationCidrBlock": network, **self.one_of(ways)})
        if self.chance(0.2):
            more.append({"DestinationPrefixListId": "pl-1", **self.one_of(ways)})
        return local + more

    def interfaces(self) -> list[Json]:
        groups = self.rng.sample(["sg-1", "sg-2"], self.rng.randint(1, 2))
        own: Json = {"PrivateIpAddress": "10.0.1.10"}
        if self.chance(0.9):
            own["Association"] = {"PublicIp": "203.0.113.77"}
        machine = {
            "NetworkInterfaceId": "eni-1", "SubnetId": SUBNET, "VpcId": VPC,
            "PrivateIpAddress": "10.0.1.10", "PrivateIpAddresses": [own | {"Primary": True}],
            "Ipv6Addresses": [{"Ipv6Address": "2001:db8:1:1::10"}],
            "Groups": [{"GroupId": each} for each in groups], "Attachment": {"InstanceId": "i-1"},
        }  # fmt: skip
        same = self.chance(0.3)
        sender = {
            "NetworkInterfaceId": "eni-2", "SubnetId": SUBNET if same else OTHER_SUBNET,
            "VpcId": VPC, "PrivateIpAddress": "10.0.1.9" if same else "10.0.2.7",
            "Ipv6Addresses": [{"Ipv6Address": f"2001:db8:1:{1 if same else 2}::7"}],
            "Groups": [{"GroupId": self.one_of(["sg-2", "sg-3"])}],
        }  # fmt: skip
        return [machine, sender]

    def host(self, version: int) -> Iterator[HostRule]:
        if self.chance(0.9):
            yield HostRule("INPUT", "ACCEPT", states=("ESTABLISHED", "RELATED"))
        for chain in ("INPUT", "INPUT", "INPUT", "OUTPUT", "OUTPUT"):
            if not self.chance(0.6):
                continue
            network = self.one_of(NETWORKS[version]) if self.chance(0.5) else None
            proto = self.one_of(["tcp", "tcp", "udp", None])
            ports = self.ports() if proto and self.chance(0.8) else None
            states: tuple[str, ...] = ("NEW",) if chain == "INPUT" and self.chance(0.3) else ()
            verdict = "ACCEPT" if self.chance(0.75) else "DROP"
            yield HostRule(chain, verdict, network, proto, ports, states)
        if self.chance(0.6):
            yield HostRule("INPUT", "ACCEPT")

    def cloud(self) -> Cloud:
        subnets = [
            {"SubnetId": SUBNET, "VpcId": VPC, "CidrBlock": "10.0.1.0/24",
             "Ipv6CidrBlockAssociationSet": [{"Ipv6CidrBlock": "2001:db8:1:1::/64"}]},
            {"SubnetId": OTHER_SUBNET, "VpcId": VPC, "CidrBlock": "10.0.2.0/24",
             "Ipv6CidrBlockAssociationSet": [{"Ipv6CidrBlock": "2001:db8:1:2::/64"}]},
        ]  # fmt: skip
        table = {"RouteTableId": "rtb-1", "VpcId": VPC, "Routes": self.routes(),
                 "Associations": [{"SubnetId": SUBNET, "Main": False}]}  # fmt: skip
        documents: dict[str, Json] = {
            "acls": {"NetworkAcls": [self.acl("acl-1", SUBNET), self.acl("acl-2", OTHER_SUBNET)]},
            "groups": {"SecurityGroups": [self.group(f"sg-{n}") for n in (1, 2, 3)]},
            "subnets": {"Subnets": subnets},
            "routes": {"RouteTables": [table]},
            "interfaces": {"NetworkInterfaces": self.interfaces()},
            "pl-1": {"Entries": [{"Cidr": self.one_of(NETWORKS[4][1:])} for _ in range(2)]},
        }
        rules = {version: [*self.host(version)] for version in (4, 6)}
        policies = {
            version: {
                "INPUT": self.one_of(["DROP", "ACCEPT"]),
                "OUTPUT": "ACCEPT" if self.chance(0.75) else "DROP",
            }
            for version in (4, 6)
        }
        redirects = {v: {443: 8080} if self.chance(0.3) else {} for v in (4, 6)}
        own = {4: "10.0.1.10", 6: "2001:db8:1:1::10"}
        return Cloud(documents, own, rules, policies, redirects)

    def packet(self, version: int) -> Packet:
        client = self.one_of(CLIENTS[version])
        icmp = "icmp" if version == 4 else "ipv6-icmp"
        proto = self.one_of(["tcp", "tcp", "tcp", "udp", icmp, "gre"])
        if proto not in ("tcp", "udp"):
            return Packet(version, client, proto)
        sport = self.one_of([port for port in EDGES if port >= 1024])
        return Packet(version, client, proto, sport, self.one_of([*EDGES]))


# --- walking ---------------------------------------------------------------------------------


def first_stop(cloud: Cloud, packet: Packet, sender: str | None = None) -> str | None:
    """The layer that stops the connection, None where it works. ``sender``: the interface that the
    packet comes from, which has layers of its own."""
    return _Walk(cloud, packet, sender).first_stop()


class _Walk:
    def __init__(self, cloud: Cloud, packet: Packet, sender: str | None) -> None:
        self.cloud, self.packet = cloud, packet
        self.own = cloud.own[packet.version]
        known = cloud.documents["interfaces"]["NetworkInterfaces"]
        self.interfaces = {each["NetworkInterfaceId"]: each for each in known}
        self.machine = self.interfaces["eni-1"]
        self.sender = self.interfaces.get(sender or "")

    def first_stop(self) -> str | None:
        for name, passes in self.layers():
            if not passes:
                return self.route() if name == "route" else name
        return None

    def layers(self) -> Iterator[tuple[str, bool]]:
        """Each layer, in order, and whether it lets the connection through."""
        packet, sender = self.packet, self.sender
        if sender is not None:
            yield "sender_groups", self.groups(sender, "IpPermissionsEgress", self.own)
            yield "sender_acl", self.acl(sender, True, self.own, packet.dport, answer=False)
        yield "route", self.route() is None
        yield "acl_in", self.acl(self.machine, False, packet.client, packet.dport, answer=False)
        yield "groups_in", self.groups(self.machine, "IpPermissions", packet.client)
        port = packet.dport
        if packet.proto == "tcp":
            port = self.cloud.redirects[packet.version].get(port, port)
        yield "host_in", all(self.host("INPUT", port, state) for state in ("NEW", "ESTABLISHED"))
        yield "host_out", self.host("OUTPUT", port, "ESTABLISHED")
        yield "acl_out", self.acl(self.machine, True, packet.client, packet.sport, answer=True)
        if sender is not None:
            yield "sender_back", self.acl(sender, False, self.own, packet.sport, answer=True)

    def route(self) -> str | None:
        (table,) = self.cloud.documents["routes"]["RouteTables"]
        client = ip_address(self.packet.client)
        best, length = None, -1
        for route in table["Routes"]:
            for text in self.destinations(route):
                network = ip_network(text)
                if client in network and network.prefixlen > length:
                    best, length = route, network.prefixlen
        if best is None or best.get("State") == "blackhole":
            return "route"
        if best.get("GatewayId") == "local":
            return None
        if "VpcPeeringConnectionId" in best:
            return UNKNOWN
        if best.get("GatewayId") != "igw-1" or not is_on_the_internet(self.packet.client):
            return "route"
        (own,) = self.machine["PrivateIpAddresses"]
        return None if self.packet.version == 6 or "Association" in own else "route"

    def destinations(self, route: Json) -> list[str]:
        if "DestinationPrefixListId" in route:
            return self.listed()
        return [route.get("DestinationCidrBlock") or route["DestinationIpv6CidrBlock"]]

    def listed(self) -> list[str]:
        return [each["Cidr"] for each in self.cloud.documents["pl-1"]["Entries"]]

    def acl(self, at: Json, egress: bool, other: str, port: int, *, answer: bool) -> bool:
        """``other``: the other end; ``port``: the destination's."""
        subnets = self.cloud.documents["subnets"]["Subnets"]
        (subnet,) = [each for each in subnets if each["SubnetId"] == at["SubnetId"]]
        inside = [subnet["CidrBlock"], subnet["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]]
        if any(ip_address(other) in ip_network(network) for network in inside):
            return True
        acls = self.cloud.documents["acls"]["NetworkAcls"]
        (acl,) = [e for e in acls if e["Associations"][0]["SubnetId"] == at["SubnetId"]]
        entries = [each for each in acl["Entries"] if each["Egress"] is egress]
        for entry in sorted(entries, key=lambda each: each["RuleNumber"]):
            network = ip_network(entry.get("CidrBlock") or entry["Ipv6CidrBlock"])
            if ip_address(other) in network and self.entry_is_about(entry, port, answer):
                return bool(entry["RuleAction"] == "allow")
        return False

    def entry_is_about(self, entry: Json, port: int, answer: bool) -> bool:
        if entry["Protocol"] == "-1":
            return True
        if int(entry["Protocol"]) != self.packet.number:
            return False
        if "PortRange" in entry:
            return bool(entry["PortRange"]["From"] <= port <= entry["PortRange"]["To"])
        if "IcmpTypeCode" in entry:
            echo = {(4, False): 8, (4, True): 0, (6, False): 128, (6, True): 129}
            kind, code = entry["IcmpTypeCode"]["Type"], entry["IcmpTypeCode"]["Code"]
            return kind in (-1, echo[self.packet.version, answer]) and code in (-1, 0)
        return True

    def groups(self, at: Json, key: str, other: str) -> bool:
        ids = [each["GroupId"] for each in at["Groups"]]
        for group in self.cloud.documents["groups"]["SecurityGroups"]:
            if group["GroupId"] in ids:
                for permission in group[key]:
                    if self.permits(permission, other):
                        return True
        return False

    def permits(self, permission: Json, other: str) -> bool:
        names = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58, "47": 47}
        proto = permission["IpProtocol"]
        if proto != "-1" and names[proto] != self.packet.number:
            return False
        low, high = permission.get("FromPort"), permission.get("ToPort")
        if proto in ("tcp", "udp") and not low <= self.packet.dport <= high:
            return False
        if proto in ("icmp", "icmpv6") and low not in (-1, 8 if self.packet.version == 4 else 128):
            return False
        return any(ip_address(other) in ip_network(each) for each in self.peers(permission))

    def peers(self, permission: Json) -> Iterator[str]:
        yield from (each["CidrIp"] for each in permission.get("IpRanges", ()))
        yield from (each["CidrIpv6"] for each in permission.get("Ipv6Ranges", ()))
        if permission.get("PrefixListIds"):
            yield from self.listed()
        for pair in permission.get("UserIdGroupPairs", ()):
            for interface in self.interfaces.values():
                if any(each["GroupId"] == pair["GroupId"] for each in interface["Groups"]):
                    yield interface["PrivateIpAddress"]
                    yield from (each["Ipv6Address"] for each in interface["Ipv6Addresses"])

    def host(self, chain: str, port: int, state: str) -> bool:
        version = self.packet.version
        for rule in self.cloud.rules[version]:
            if rule.chain == chain and rule.takes(self.packet, port, state):
                return rule.verdict == "ACCEPT"
        return self.cloud.policies[version][chain] == "ACCEPT"


_NOT_ON_THE_INTERNET = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")


def is_on_the_internet(client: str) -> bool:
    """Of the clients that are made here."""
    return not any(ip_address(client) in ip_network(each) for each in _NOT_ON_THE_INTERNET)
