"""Celery's side of the jobs' measurement: a task that does nothing, late acknowledgement. The list is filled by `fill N`."""
import json
import sys
import uuid
import base64

import redis
from celery import Celery

socket = sys.argv[-1] if sys.argv[-1].startswith("/") else __import__("os").environ["BENCH_REDIS"]
app = Celery("noop", broker=f"redis+socket://{socket}?virtual_host=5")
app.conf.update(task_acks_late=True, task_ignore_result=True, task_default_queue="noop", worker_hijack_root_logger=False)


@app.task(name="noop")
def noop():
    return None


def fill(count):
    """The very message apply_async would send, with another id each."""
    link = redis.Redis(unix_socket_path=socket, db=5)
    body = base64.b64encode(b'[[], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]').decode()
    for start in range(0, count, 1000):
        batch = []
        for _ in range(start, min(start + 1000, count)):
            id_ = str(uuid.uuid4())
            batch.append(json.dumps({
                "body": body, "content-encoding": "utf-8", "content-type": "application/json",
                "headers": {"lang": "py", "task": "noop", "id": id_, "shadow": None, "eta": None, "expires": None, "group": None,
                            "group_index": None, "retries": 0, "timelimit": [None, None], "root_id": id_, "parent_id": None,
                            "argsrepr": "()", "kwargsrepr": "{}", "origin": "bench", "ignore_result": True},
                "properties": {"correlation_id": id_, "reply_to": id_, "delivery_mode": 2,
                               "delivery_info": {"exchange": "", "routing_key": "noop"}, "priority": 0,
                               "body_encoding": "base64", "delivery_tag": str(uuid.uuid4())}}))
        link.lpush("noop", *batch)


if __name__ == "__main__":
    fill(int(sys.argv[2]))
