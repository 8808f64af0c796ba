"""Words that nft never takes for a name.

Its scanner knows many more keywords, but those only after the word that they belong to.
"""

_RESERVED = """
    accept add ah all and arp bridge cgroup chain comment comp constant continue counter cpu
    create ct day dccp define delete describe device devices dnat drop dst dup dynamic ecn
    element elements eq esp ether exists expires export exthdr fib flags flow flowtable flush
    frag fullcone fwd ge get goto gt handle hbh hook hour ibriport ibrname icmp icmpv6 igmp iif
    iifgroup iifname iiftype import include index inet insert interval ip ip6 ipsec jhash jump le
    limit list log lshift lt map mark masquerade meta meter mh missing monitor ne netdev nftrace
    not notrack numgen obriport obrname offload oif oifgroup oifname oiftype or osf pkttype policy
    position priority queue quota random redefine redirect reject rename replace reset return
    rshift rt rt0 rt2 rtclassid rule ruleset sctp secmark set size skgid skuid snat socket srh
    symhash synproxy table tcp th time timeout tproxy type typeof udp udplite undefine update
    vlan vmap xor xt
"""

_VALUES = """
    ah arp comp dccp dnat ecn esp ether exists icmp icmpv6 igmp ip ip6 label missing original
    redirect reply reset sctp snat tcp udp udplite vlan
"""

RESERVED = frozenset(_RESERVED.split())

OF_EVERY_NFT = RESERVED - {"fullcone"}
"""Without what only patched versions know."""

VALUES = frozenset(_VALUES.split())
"""Reserved words that are values as well, mostly names of protocols."""
