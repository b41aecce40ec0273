"""The queue between the web process and the worker: Celery, with the settings of the Flask app."""

from celery import Celery, Task
from flask import Flask

# A broker that is away must not keep a visitor waiting: a few quick attempts, then an answer.
PATIENCE = {"max_retries": 2, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5}


def init_app(app: Flask) -> Celery:
    """The Celery app that goes with this Flask app; it is also at `app.extensions["celery"]`."""

    class InFlask(Task):
        """Tasks use the database, and Flask-SQLAlchemy finds it by the current app."""

        def __call__(self, *args: object, **kwargs: object) -> object:
            with app.app_context():
                return self.run(*args, **kwargs)

    celery = Celery("wordcount", task_cls=InFlask, include=["wordcount.tasks"])
    broker = app.config["BROKER_URL"]
    celery.conf.update(
        broker_url=broker,
        # Without a broker there is no worker either: do the work where it is asked for.
        task_always_eager=broker is None,
        # Results live in the database, so Celery need not keep any.
        task_ignore_result=True,
        # Said to be done when it is done, not when it is begun: a task whose dyno goes away is done by another one.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        task_soft_time_limit=60,
        task_publish_retry_policy=PATIENCE,
        broker_connection_timeout=3,
        broker_connection_retry_on_startup=True,
        broker_pool_limit=2,  # small plans allow 20 connections
        broker_transport_options={"socket_connect_timeout": 3, "socket_timeout": 30, "visibility_timeout": 300},
    )
    celery.set_default()
    app.extensions["celery"] = celery
    return celery
