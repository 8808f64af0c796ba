"""``iptlint``, and ``python -m iptlint``."""

import signal


def run() -> None:
    """Ends without a word where it is interrupted before it has begun."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    from iptlint.cli import main

    main()


if __name__ == "__main__":
    run()
