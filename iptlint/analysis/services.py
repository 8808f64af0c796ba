"""Services that are seldom public on purpose: ports, protocol, name, and why."""

from __future__ import annotations

from typing import NamedTuple

from iptlint.model.protocols import TCP, UDP


class Service(NamedTuple):
    """``protocols``: numbers. ``on_purpose``: some open it to all on purpose."""

    ports: tuple[int, ...]
    protocols: tuple[int, ...]
    name: str
    why: str
    on_purpose: bool = False


_T, _U, _TU = (TCP,), (UDP,), (TCP, UDP)
_ON_PURPOSE = True

_PASSWORDS = "passwords are tried there without end"
_NO_LOGIN = "whoever connects needs no password, as it is installed"
_ROOT = "whoever gets in is root on the host"
_STATE = "it holds the state and the secrets of a cluster"
_AMPLIFIES = "it answers forged packets with larger ones, at others' expense"
_IN_CLEAR = "all of it, passwords too, travels in clear text"
_FILES = "it hands out files, and worms look for it"
_FOR_INSIDE = "it was made for a local network"
_INTO_NETWORK = "whoever sends it puts packets into the network that it carries"
_RUNS_PROGRAMS = "whoever connects has it run programs"
_TELLS = "it tells whoever asks what the host has and does"

SERVICES: tuple[Service, ...] = (
    Service((23,), _T, "Telnet", _IN_CLEAR),
    Service((69,), _U, "TFTP", _FILES),
    Service((111,), _TU, "rpcbind", _AMPLIFIES),
    Service((137, 138), _U, "NetBIOS", _FOR_INSIDE, _ON_PURPOSE),
    Service((139, 445), _T, "SMB file shares", _FILES),
    Service((161,), _U, "SNMP", _AMPLIFIES),
    Service((389,), _T, "LDAP", _IN_CLEAR, _ON_PURPOSE),
    Service((389,), _U, "CLDAP", _AMPLIFIES),
    Service((512, 513), _T, "rexec and rlogin", _IN_CLEAR),
    Service((623,), _U, "IPMI", _ROOT),
    Service((631,), _TU, "printing (IPP)", _FOR_INSIDE, _ON_PURPOSE),
    Service(
        (873,), _T, "rsync", "what it shares is open unless each module says otherwise", _ON_PURPOSE
    ),
    Service((1433,), _T, "SQL Server", _PASSWORDS),
    Service((1521,), _T, "Oracle", _PASSWORDS),
    Service((2049,), _TU, "NFS", _FILES),
    Service((2181,), _T, "ZooKeeper", _NO_LOGIN),
    Service((2375,), _T, "the Docker API", _ROOT),
    Service((2376,), _T, "the Docker API over TLS", _ROOT, _ON_PURPOSE),
    Service((2377,), _T, "Docker Swarm management", _FOR_INSIDE),
    Service((2379, 2380), _T, "etcd", _STATE),
    Service((3260,), _T, "iSCSI", _FILES),
    Service((3306,), _T, "MySQL", _PASSWORDS),
    Service((3389,), _T, "remote desktops (RDP)", _PASSWORDS, _ON_PURPOSE),
    Service((3632,), _T, "distcc", _RUNS_PROGRAMS),
    Service((4369,), _T, "Erlang's port mapper", _FOR_INSIDE),
    Service((4789, 8472), _U, "VXLAN", _INTO_NETWORK),
    Service((4949,), _T, "munin", _TELLS),
    Service((5432,), _T, "PostgreSQL", _PASSWORDS),
    Service((5601,), _T, "Kibana", _NO_LOGIN),
    Service((5672,), _T, "AMQP (RabbitMQ)", _IN_CLEAR, _ON_PURPOSE),
    Service((5900, 5901, 5902, 5903), _T, "VNC", _PASSWORDS),
    Service((5984,), _T, "CouchDB", _PASSWORDS),
    Service((5985, 5986), _T, "WinRM", _PASSWORDS),
    Service((6000,), _T, "X11", _IN_CLEAR),
    Service((6379,), _T, "Redis", _NO_LOGIN),
    Service((6443,), _T, "the Kubernetes API", _STATE, _ON_PURPOSE),
    Service((7474, 7687), _T, "Neo4j", _PASSWORDS),
    Service((7946,), _TU, "Docker Swarm's gossip", _FOR_INSIDE),
    Service((8009,), _T, "AJP (Tomcat)", _FOR_INSIDE),
    Service((8086,), _T, "InfluxDB", _PASSWORDS),
    Service((8500,), _T, "Consul", _NO_LOGIN),
    Service((9042,), _T, "Cassandra", _NO_LOGIN),
    Service((9092,), _T, "Kafka", _NO_LOGIN),
    Service((9200, 9300), _T, "Elasticsearch", _NO_LOGIN),
    Service((10250,), _T, "the kubelet API", _ROOT),
    Service((10255,), _T, "the kubelet's read-only API", _STATE),
    Service((11211,), _T, "memcached", _NO_LOGIN),
    Service((11211,), _U, "memcached", _AMPLIFIES),
    Service((11434,), _T, "Ollama", _NO_LOGIN),
    Service((15672,), _T, "RabbitMQ management", _PASSWORDS),
    Service((27017, 27018), _T, "MongoDB", _PASSWORDS),
    Service((28015,), _T, "RethinkDB", _NO_LOGIN),
    Service((50070,), _T, "HDFS", _NO_LOGIN),
)
"""Ports and protocols are IANA's, or what the programs listen on as they are installed. What
half of the world opens on purpose (web, mail, names, VPNs, games) is not here."""
