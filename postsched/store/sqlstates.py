"""What errors of PostgreSQL mean, by their SQLSTATE (its manual, appendix A), and in words."""

from __future__ import annotations

import re

from sqlalchemy import exc

BUSY = frozenset({"55P03", "40P01", "40001"})
"""Not in time, or in each other's way: lock_not_available, deadlock, serialization_failure."""
REACH = "Check that the server runs, and the address given with --db"
HINTS = {
    "28": "Check the user and the password given with --db",
    "3D000": "Make it first (createdb), or name another with --db",
    "42501": "Give the user of the database the right to do that",
    "25006": "Name the server that can be written to",
    "53100": "Free some space; nothing was half-written",
    "53300": "Allow more connections, or stop some workers",
}
"""What to do, by how the SQLSTATE begins (PostgreSQL manual, appendix A)."""
SLIPS = (exc.DataError, exc.ProgrammingError)
"""What the driver itself refuses, without asking the server: it comes again too."""
NOT_LET_IN = {
    "28000": r'authentication failed|no password supplied|role ".*" does not exist|pg_hba\.conf',
    "3D000": r'database ".*" does not exist',
    "53300": r"too many (clients|connections)|connection slots",
}
"""Of one that was not let in, the driver tells no SQLSTATE: what the server says then."""
RULES = frozenset({"21", "22", "23", "42", "54"})
"""Classes of errors that come again whenever the same is tried."""


def said(error: BaseException | None) -> str:
    """What the server says, without the rows it is about: the texts of posts belong in no error
    message."""
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    return " ".join(str(primary or error).split())


def state_of(error: BaseException | None) -> str:
    """The SQLSTATE of an error of the driver, "" where there is none."""
    found: str | None = getattr(error, "sqlstate", None)
    told = said(error)
    return found or next((n for n, words in NOT_LET_IN.items() if re.search(words, told)), "")
