"""Installs the peers, or says which there are.

python -m tests.benchmarks.peers install|list
"""

from __future__ import annotations

import argparse

from tests.benchmarks.peers.contenders import peers
from tests.benchmarks.peers.installation import install


def main() -> None:
    """Install or list."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.peers", description=__doc__)
    parser.add_argument("command", choices=["install", "list"])
    if parser.parse_args().command == "install":
        install()
    for peer in peers():
        print(f"{peer.name}: {peer.missing() or 'here'}")


if __name__ == "__main__":
    main()
