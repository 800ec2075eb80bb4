"""An engine of thirty lines whose faults are its arguments; standard library only.

    scripted_engine.py WORD...

``never-ready``, ``exit-at-once``, ``deaf`` (ignores SIGTERM), ``family`` (starts a child that
starts a grandchild in a session of its own), ``chatty`` (prints a lot), ``slow`` (ready after
0.6 s).
``GET /crash`` ends it with code 7, ``GET /environment`` gives its environment.
"""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import time

WORDS = set(sys.argv[1:])
BEGAN = time.monotonic()
SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
FAMILY = f"""
import subprocess, time
subprocess.Popen({SLEEPER!r}, start_new_session=True)
time.sleep(600)
"""
PARENT = [sys.executable, "-c", FAMILY]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/crash":
            os._exit(7)
        key = os.environ["VENOM_ENGINE_KEY"]
        status, body = 200, {"args": sys.argv[1:]}
        if self.headers["Authorization"] != f"Bearer {key}":
            status = 401
        elif "never-ready" in WORDS or ("slow" in WORDS and time.monotonic() - BEGAN < 0.6):
            status = 503
        elif self.path == "/environment":
            body = dict(os.environ)
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_args: object) -> None:
        pass


if "deaf" in WORDS:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "family" in WORDS:
    subprocess.Popen(PARENT)
print("engine begins", os.getpid(), flush=True)
if "exit-at-once" in WORDS:
    print("the model is damaged", flush=True)
    sys.exit(3)
if "chatty" in WORDS:
    for number in range(20_000):
        print(f"line {number} " + "x" * 60)
http.server.ThreadingHTTPServer(
    ("127.0.0.1", int(os.environ["VENOM_ENGINE_PORT"])), Handler
).serve_forever()
