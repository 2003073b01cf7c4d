"""A secret by account: from the environment, else from an encrypted file or the system's keyring.

`POSTSCHED_TOKEN_<ACCOUNT>` wins; nothing else is then touched. The setting `secrets` says what is
used after it: `keyring` or `file` alone, or `auto`. Then an account that the file holds is read
from the file and written to it; any other is in the keyring; and where there is no keyring, a new
one goes to the file, once there is one or a passphrase is given. In the keyring the service is
`postsched` and the user name is the account's. No message, repr or exception from here carries a
secret.

`source` finds a secret, `text` judges what may be one, `ring` speaks to the keyring. `file` keeps
the file, `sealed` is its format, `durable` writes it, `passphrase` knows what opens it.
"""

from __future__ import annotations

from postsched.secrets.file import SecretsFile
from postsched.secrets.passphrase import Passphrase
from postsched.secrets.source import Secrets, check_names, client_variable, variable
from postsched.secrets.text import parse

__all__ = [
    "Passphrase",
    "Secrets",
    "SecretsFile",
    "check_names",
    "client_variable",
    "parse",
    "variable",
]
