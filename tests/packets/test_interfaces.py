"""Interface names fall into classes at the names and wildcards that a ruleset uses."""

from iptlint.model import AnyOf, Field, Interface
from iptlint.packets.interfaces import NO_INTERFACE, Interfaces


def interfaces(*tests: str) -> Interfaces:
    return Interfaces(
        Interface(Field.IIF, test.rstrip("+"), wildcard=test.endswith("+")) for test in tests
    )


def test_a_wildcard_holds_the_names_and_longer_wildcards_that_start_with_it() -> None:
    known = interfaces("eth0", "eth+", "eth1+", "wg0")
    names = {known.classes[n - 1].name for n in known.members("eth", wildcard=True)}
    assert names == {"eth0", "eth", "eth1"}


def test_a_plus_alone_holds_every_interface_and_none() -> None:
    """No byte of the name is compared then, as packets through OUTPUT's chains show."""
    known = interfaces("eth0", "ppp+")
    assert known.members("", wildcard=True) == tuple(range(known.count))


def test_a_name_is_not_in_the_class_of_its_wildcard() -> None:
    known = interfaces("eth0", "eth+")
    exact = known.members("eth0", wildcard=False)
    assert [known.classes[n - 1].wildcard for n in exact] == [False]


def test_an_example_belongs_to_its_own_class_only() -> None:
    known = interfaces("eth0", "eth1", "eth+", "et+", "ens3")
    for number, cls in enumerate(known.classes, start=1):
        example = known.example(number)
        assert example is not None
        assert example.startswith(cls.name)
        holding = [
            n
            for n, other in enumerate(known.classes, start=1)
            if (example.startswith(other.name) if other.wildcard else example == other.name)
        ]
        assert (
            max(
                holding,
                key=lambda n: (not known.classes[n - 1].wildcard, len(known.classes[n - 1].name)),
            )
            == number
        )


def test_no_interface_has_no_name() -> None:
    assert interfaces("eth0").example(NO_INTERFACE) is None


def test_names_inside_alternatives_count() -> None:
    known = Interfaces([AnyOf(((Interface(Field.IIF, "tun0"),),))])
    assert known.members("tun0", wildcard=False)


def test_an_example_is_the_name_itself_or_one_that_the_wildcard_holds() -> None:
    known = interfaces("eth0", "eth+")
    examples = {known.example(known.class_of(name)) for name in ("lo", "eth0", "eth7")}
    assert examples == {"lo", "eth0", "eth1"}
    assert known.example(known.class_of("eth7"), but="eth1") == "eth2"


def test_what_the_kernel_allows_no_interface_to_be_called_is_none() -> None:
    """``ip link set lo name eth0:1`` is an invalid argument; an address with dots is a name."""
    known = interfaces("eth0:1", "10.0.0.0/8", ".", "192.0.2.1", "eth0")
    for name in ("eth0:1", "10.0.0.0/8", "."):
        assert known.members(name, wildcard=False) == ()
    assert len(known.members("192.0.2.1", wildcard=False)) == 1
    assert known.members("eth0:", wildcard=True) == ()
