"""DynamoDB on one machine: moto's server, in memory. ``python -m tessera_local.table_server PORT``.

Standard input is a leash: when it closes, because the parent stops or dies, the process ends. The tables are then lost,
and so are the executions that they name. Ingest finds the published cubes again from a listing.
"""

import os
import sys
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server


def main() -> None:
    """Serve until the leash closes."""
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", int(sys.argv[1]), application, threaded=True, request_handler=MotoRequestHandler)
    threading.Thread(target=server.serve_forever, name="tables", daemon=True).start()
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
