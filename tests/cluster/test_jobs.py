"""Jobs of the whole fleet on two workers of different machines: each is done once, also when a worker dies over it."""

import asyncio

import psycopg
import pytest
from lineset import messaging, platform, worker
from lineset.kit.addresses import database_secret, owner_url
from lineset.kit.ids import new_id
from lineset.kit.jobs import take_over
from lineset.kit.roles import APP, role_url
from lineset.privacy import Context, Purpose, System

from tests.cluster.world import Cluster, Mailroom, until

pytestmark = [pytest.mark.timeout(400), pytest.mark.anyio]

MAIL = Context(System("mail"), Purpose.COMMUNICATE)
MAILS = 120


async def queue_mails(cluster: Cluster, subjects: list[str]) -> None:
    async with platform.open_platform(cluster.settings, "test") as opened:
        person = new_id()
        for subject in subjects:
            async with opened.door.open(MAIL) as tx:
                await messaging.queue_mail(tx, person, "somebody@example.org", "notice", subject, "Good morning.")


def queue(cluster: Cluster, sql: str) -> list[tuple[int, ...]]:
    """What the queue says, as the application's role sees it."""
    address = role_url(owner_url(cluster.settings), database_secret(cluster.settings), APP).set(drivername="postgresql")
    with psycopg.connect(address.render_as_string(hide_password=False)) as connection:
        return connection.execute(sql).fetchall()


async def test_PLT_01_two_workers_share_the_jobs_and_do_each_once(cluster: Cluster, mailroom: Mailroom) -> None:
    subjects = [f"shared {number}" for number in range(MAILS)]
    mailroom.hold.clear()  # until both have begun, so that nobody is done before the other
    await queue_mails(cluster, subjects)
    begun = "SELECT count(DISTINCT worker_id) FROM jobs.procrastinate_jobs WHERE task_name = 'messaging.send' AND status = 'doing'"
    await until(lambda: queue(cluster, begun) == [(2,)], 120, "both workers at it")
    mailroom.hold.set()
    await until(lambda: all(mailroom.taken[subject] for subject in subjects), 120, "every mail sent")
    sql = "SELECT count(*) FROM jobs.procrastinate_jobs WHERE task_name = 'messaging.send' AND status <> 'succeeded'"
    await until(lambda: queue(cluster, sql) == [(0,)], 60, "every job succeeded")
    assert [mailroom.taken[subject] for subject in subjects] == [1] * MAILS
    done = queue(
        cluster, "SELECT worker_id, count(*) FROM jobs.procrastinate_jobs WHERE task_name = 'messaging.send' GROUP BY 1 ORDER BY 2"
    )
    assert len(done) == 2, "only one worker did something"
    starts = queue(
        cluster,
        "SELECT max(n) FROM (SELECT count(*) n FROM jobs.procrastinate_events JOIN jobs.procrastinate_jobs j ON j.id = job_id"
        " WHERE type = 'started' AND task_name = 'messaging.send' GROUP BY job_id) starts",
    )
    assert starts == [(1,)]


async def test_PLT_01_what_is_due_at_a_time_is_done_once_however_many_workers_there_are(cluster: Cluster) -> None:
    sql = "SELECT count(*) FROM jobs.procrastinate_jobs WHERE task_name = 'jobs.take_over'"
    await until(lambda: queue(cluster, sql) > [(0,)], 90, "the job of each minute")
    twice = queue(
        cluster,
        "SELECT count(*) FROM (SELECT task_name, args->>'timestamp' FROM jobs.procrastinate_jobs"
        " WHERE args ? 'timestamp' GROUP BY 1, 2 HAVING count(*) > 1) twice",
    )
    assert twice == [(0,)]


async def test_PLT_01_the_job_of_a_worker_that_died_is_done_by_another(cluster: Cluster, mailroom: Mailroom) -> None:
    mailroom.hold.clear()
    before = mailroom.waiting
    await queue_mails(cluster, ["orphan"])
    await until(lambda: mailroom.waiting > before, 60, "a worker sends it")
    for name in ("a/worker-1", "b/worker-1"):
        cluster.loopback.kill(name)
    mailroom.taken.clear()
    mailroom.hold.set()
    for name in ("a/worker-1", "b/worker-1"):
        cluster.loopback.start(name)
    sql = "SELECT count(*) FROM jobs.procrastinate_jobs WHERE task_name = 'messaging.send' AND status = 'doing'"
    assert queue(cluster, sql) == [(1,)]
    async with platform.open_platform(cluster.settings, "test") as opened, worker.jobs(opened).open_async() as app:
        async with asyncio.timeout(60):
            while not await take_over(app, silent_s=12):
                await asyncio.sleep(0.5)
    sql = sql.replace("= 'doing'", "<> 'succeeded'")
    await until(lambda: queue(cluster, sql) == [(0,)], 60, "another worker did it")
    assert mailroom.taken["orphan"] >= 1
