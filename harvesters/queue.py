"""The two queues of RQ in the portal's Redis, live and batch, and what is put into them."""

from redis import Redis
from redis.client import Pipeline
from rq import Queue, Worker
from rq.serializers import JSONSerializer

from harvesters.standing import Run

QUEUES = ("live", "batch")
FUNCTION = "harvesters.worker.harvest"
MARGIN_S = 60
"""RQ steps in only where the deadline of the run itself could not end it."""
FAILED_S = 3600


def named(redis: Redis, queue: str) -> Queue:
    """One of the queues; jobs are texts and not pickled objects, since others may write to Redis."""
    return Queue(f"aizu-{queue}", connection=redis, serializer=JSONSerializer)


def put(pipe: Pipeline, redis: Redis, city: str, source: str, run: Run) -> None:
    """Puts a run into its queue, as part of a transaction that says so."""
    named(redis, run.queue).enqueue_call(
        FUNCTION,
        args=[city, source, run.id],
        timeout=run.deadline + MARGIN_S,
        failure_ttl=FAILED_S,
        description=f"{city}/{source} {run.id}",
        job_id=job_id(city, source, run),
        result_ttl=0,
        pipeline=pipe,
    )


def holds(redis: Redis, city: str, source: str, run: Run) -> bool:
    """Whether the run still waits in its queue."""
    return named(redis, run.queue).get_job_position(job_id(city, source, run)) is not None


def job_id(city: str, source: str, run: Run) -> str:
    """A name for each delivery of a run, so that what RQ keeps of a failed one is not in the way."""
    return f"aizu-{city}-{source}-{run.id}-{run.deliveries}"


def workers(redis: Redis, queue: str) -> int:
    """How many workers listen, on all machines."""
    return Worker.count(queue=named(redis, queue))
