"""`python -m postsched` and the console script."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line. `--version` alone is answered before anything is imported."""
    if sys.argv[1:] == ["--version"]:
        from postsched import __version__

        sys.stdout.write(f"postsched {__version__}\n")
        return
    from postsched.cli.app import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
