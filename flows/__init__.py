"""The jobs that run. Each flow reads like a table of contents.

Whoever imports them reaches a local server past proxies, and has a temporary one end with the process.
"""

import os

os.environ.setdefault(
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "60"
)  # 20, the default, fail on a busy machine

from tasks.server import reach_past_proxies, server_address

if _address := server_address():
    reach_past_proxies(os.environ, _address)
else:
    from tasks.temporary_server import tie_temporary_servers

    reach_past_proxies(os.environ, "http://127.0.0.1")
    tie_temporary_servers()
