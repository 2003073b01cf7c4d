"""An account's login as the adapters get it: its secret, read, renewed when stale, and kept.

A renewal is made by one process at a time, under a lease in the database, and saved before it is
used. Secrets from the environment are renewed for this process only and saved nowhere.
"""

from __future__ import annotations

from postsched.login.logins import FRESH, LEASE, Logins, login_for

__all__ = ["FRESH", "LEASE", "Logins", "login_for"]
