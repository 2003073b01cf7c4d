"""`python -m postsched` and the console script."""

from __future__ import annotations

import gc
import sys
import warnings

NEW_OBJECTS = 50_000
"""How many objects come into being between two collections: importing makes far more than Python's
700, and none of them is garbage."""


def main() -> None:
    """Run the command line. `--version` alone is answered before anything is imported."""
    if sys.argv[1:] == ["--version"]:
        from postsched import __version__

        sys.stdout.write(f"postsched {__version__}\n")
        return
    gc.set_threshold(NEW_OBJECTS, 20, 20)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # they are for developers, who show them with -W
    try:
        from postsched.cli.app import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    finally:
        gc.freeze()  # nothing is worth collecting any more: the process ends
    sys.exit(code)


if __name__ == "__main__":
    main()
