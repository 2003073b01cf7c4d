"""A secret by account: from the environment, else from the system's keyring, and nowhere else.

`POSTSCHED_TOKEN_<ACCOUNT>` wins; the keyring is then not touched, not even imported. In the
keyring the service is `postsched` and the user name is the account's. No message, repr or
exception from here carries a secret. `source` finds a secret, `text` judges what may be one, `ring`
speaks to the keyring.
"""

from __future__ import annotations

from postsched.secrets.source import Secrets, check_names, client_variable, variable
from postsched.secrets.text import parse

__all__ = ["Secrets", "check_names", "client_variable", "parse", "variable"]
