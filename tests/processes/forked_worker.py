"""What xdist takes for Python: `-u -c PROGRAM` is forked from the process with the imports done."""

import json
import os
import socket
import sys
from pathlib import Path

request = {
    "number": 0,
    "words": [],
    "program": sys.argv[-1],
    "warnings_are": "default",
    "folder": str(Path.cwd()),
    "environment": dict(os.environ),
    **{name: f"/proc/{os.getpid()}/fd/{n}" for n, name in enumerate(("said", "out", "error"))},
}
with socket.socket(socket.AF_UNIX) as server:
    server.connect(os.environ["ADC_TESTS_FORK_SERVER"])
    server.sendall(json.dumps(request).encode() + b"\n")
    for line in server.makefile():
        _, what, value = json.loads(line)
        if what == "code":
            sys.exit(value)
sys.exit("the process that forks has ended")
