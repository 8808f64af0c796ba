"""Prints what is installed beside this interpreter as CycloneDX 1.5 JSON (https://cyclonedx.org):
the list that goes with a release. It needs nothing but Python, so nothing of its own is listed."""

from __future__ import annotations

import json
from importlib.metadata import Distribution, distributions

_LEFT_OUT = ("pip", "setuptools", "wheel")


def component(distribution: Distribution) -> dict[str, object]:
    """One package, by the address that others know it by (purl)."""
    name = distribution.metadata["Name"].lower().replace("_", "-")
    told = distribution.metadata.get("License-Expression")
    licences = [{"expression": told}] if told else []
    return {
        "type": "library",
        "name": name,
        "version": distribution.version,
        "purl": f"pkg:pypi/{name}@{distribution.version}",
        **({"licenses": licences} if licences else {}),
    }


def document() -> dict[str, object]:
    """iptlint, and all that it needs."""
    found = sorted(
        (component(each) for each in distributions()), key=lambda each: str(each["name"])
    )
    unique = {str(each["purl"]): each for each in found if each["name"] not in _LEFT_OUT}
    own = next((each for each in unique.values() if each["name"] == "iptlint"), None)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {**own, "type": "application"}} if own else {},
        "components": [each for each in unique.values() if each is not own],
    }


if __name__ == "__main__":
    print(json.dumps(document(), indent=2))  # noqa: T201
