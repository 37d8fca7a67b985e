"""OpenStack's command line kept running, because starting it takes longer than what it does: a list of arguments per line in,
{code, stdout, stderr} per line out. `commands` answers with the baremetal commands that the client has."""

import contextlib
import importlib.metadata
import io
import json
import sys
import time

from openstackclient import shell
from osc_lib import clientmanager


class Nobody(io.StringIO):
    """A terminal at which nobody sits: of a pipe the client would take what comes for an image."""

    def isatty(self):
        return True


requests, replies = sys.stdin, sys.stdout
sys.stdin = Nobody()
seconds = time.sleep
# The client polls every 2 or 10 seconds; here everything is twenty times as quick.
time.sleep = lambda asked: seconds(asked / 20)


def commands():
    points = importlib.metadata.entry_points()
    group = "openstack.baremetal.v1"
    found = points.select(group=group) if hasattr(points, "select") else points[group]
    return sorted({point.name.replace("_", " ") for point in found})


def forget():
    """The compute client outlives a command, with the version that it asked for. (That of volumes can't be made twice.)"""
    cache = vars(clientmanager.ClientManager).get("compute")
    if cache:
        cache._handle = None


def run(arguments):
    if arguments[0] == "--os-compute-api-version":
        forget()
        try:
            return run_as_it_is(arguments)
        finally:
            forget()
    return run_as_it_is(arguments)


def run_as_it_is(arguments):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            app = shell.OpenStackShell()
            app.stdout, app.stderr = out, err
            code = app.run(arguments)
        except SystemExit as end:
            code = end.code
    return {"code": code or 0, "stdout": out.getvalue(), "stderr": err.getvalue()}


for line in requests:
    wanted = json.loads(line)
    answer = commands() if wanted == "commands" else run(wanted)
    print(json.dumps(answer), file=replies, flush=True)
