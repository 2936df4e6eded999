"""Celery's client, asked line by line: {n, op, …} on stdin, {n, …} on stdout."""
import json
import os
import sys
import threading

from celery import Celery
from celery.result import AsyncResult

url = os.environ["CELERY_BROKER"]
app = Celery("client", broker=url, backend=url)
app.conf.broker_transport_options = {"priority_steps": [0, 3, 6, 9]}
writing = threading.Lock()


def outcome(call):
    try:
        return {"result": call()}
    except Exception as e:  # whatever get() raises is the answer
        return {"type": type(e).__name__, "module": type(e).__module__, "message": str(e)}


def answer(asked):
    if asked["op"] == "send":
        sent = app.send_task(asked["task"], args=asked["args"], kwargs=asked["kwargs"], **asked["options"])
        return {"id": sent.id}
    result = AsyncResult(asked["id"], app=app)
    if asked["op"] == "state":
        return {"state": result.state}
    return outcome(lambda: result.get(timeout=120))


def serve(asked):
    try:
        said = answer(asked)
    except Exception as e:
        said = {"failed": repr(e)}
    with writing:
        print(json.dumps({"n": asked["n"], **said}), flush=True)


for line in sys.stdin:
    asked = json.loads(line)
    if asked["op"] == "send":
        serve(asked)  # in the order they are asked for
    else:
        threading.Thread(target=serve, args=(asked,), daemon=True).start()
