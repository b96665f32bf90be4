"""`python -m deployments.flow_run`: one flow run, as `python -m prefect.engine` would run it.

It ends with the worker that started it, be that killed, and starts faster: without a command of its own a deployment
is given two processes one after the other, each of which imports Prefect.
"""

import importlib
import os
import runpy
import signal
import sys

from deployments.children import dying_with_parent
from deployments.importing import quickly


def main() -> None:
    os.umask(0o077)  # Prefect keeps the exceptions of flows in files
    parent = os.getppid()
    if bind := dying_with_parent(signal.SIGTERM):
        bind()
    if os.getppid() != parent:
        sys.exit(1)  # it died before we were bound to it
    with quickly():
        importlib.import_module("prefect.engine")
        importlib.import_module("flows.fan_out")  # what all flows share
    del sys.modules["prefect.engine"]  # it is run, and not what was imported
    runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
