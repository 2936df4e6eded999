"""A Celery worker as somebody might run it beside Stint."""
import os
import time

from celery import Celery

app = Celery("celery_worker", broker=os.environ["CELERY_BROKER"], backend=os.environ["CELERY_BROKER"])
app.conf.task_track_started = True


def note(line):
    with open(os.path.join(os.environ["LAB"], "runs"), "a") as f:
        f.write(line + "\n")


@app.task(name="add")
def add(a, b, scale=1):
    return {"sum": (a + b) * scale, "euro": "€"}


@app.task(name="boom")
def boom(why):
    raise ValueError(why)


@app.task(name="moody")
def moody():
    if not os.path.exists(os.path.join(os.environ["LAB"], "mood")):
        raise RuntimeError("not today")
    return "fine"


@app.task(name="endless")
def endless():
    return [float("nan")]


@app.task(name="slow", bind=True)
def slow(self, seconds):
    note(self.request.id)
    time.sleep(seconds if not os.path.exists(os.path.join(os.environ["LAB"], "quick")) else 0)
    return self.request.id
