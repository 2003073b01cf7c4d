"""arroba, a second PDS, in Python: what runs in the process of its own.

python arroba_server.py PORT: one account, one token for everything, all in memory. Writes a line
to stdout once it serves, and ends when its stdin does.
"""

from __future__ import annotations

import os
import sys
import threading

HANDLE, DID = "alice.test", "did:web:alice.test"
PASSWORD, TOKEN = "app-password", "token-for-everything"


def main() -> None:
    port = int(sys.argv[1])
    names = ("PDS_HOST", "PLC_HOST", "RELAY_HOST", "APPVIEW_HOST", "MOD_SERVICE_HOST")
    os.environ.update(dict.fromkeys(names, f"127.0.0.1:{port}"))
    os.environ.update(REPO_TOKEN=TOKEN, REPO_PASSWORD=PASSWORD, MOD_SERVICE_DID="did:web:mod.test")
    from arroba import server, util, xrpc_identity, xrpc_repo, xrpc_server
    from arroba.repo import Repo
    from arroba.storage import MemoryStorage
    from flask import Flask
    from lexrpc.flask_server import init_flask
    from werkzeug.serving import make_server

    assert xrpc_identity, "imported for the methods they register"
    assert xrpc_repo
    assert xrpc_server
    server.storage = MemoryStorage()
    key = util.new_key()
    # getSession answers for this repository.
    server.repo = Repo.create(server.storage, DID, handle=HANDLE, signing_key=key, rotation_key=key)
    app = Flask("arroba")
    init_flask(server.server, app)
    listening = make_server("127.0.0.1", port, app, threaded=False)
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    print("serving", flush=True)
    listening.serve_forever()


def _end_with_stdin() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
