"""An account's login as the adapters get it: its secret, read, renewed when stale, and kept.

A renewal is made by one process at a time, under a lease in the database, and saved before it is
used. Secrets from the environment are renewed for this process only and saved nowhere; a pair of
tokens there is not renewed at all, for it would be spent for the next process.

`account` puts a login together, `reading` reads secrets, `pair` tells what a secret says of itself,
`lease` keeps the others away, `renewal` renews, and `logins` is what service and engine use.
"""

from __future__ import annotations

from postsched.login.account import cleaned, command, login_for, servers
from postsched.login.lease import LEASE
from postsched.login.logins import FRESH, Logins
from postsched.login.pair import ends

__all__ = ["FRESH", "LEASE", "Logins", "cleaned", "command", "ends", "login_for", "servers"]
