"""The worker role: jobs of the queue, delivery of commands, and what is due at fixed times.

Any number of these processes may run.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import procrastinate
import structlog
import uvloop
from nats.aio.msg import Msg
from sqlalchemy import text

from lineset import accounts, diagnostics, gateways, messaging, privacy, reports, reviewing, telemetry
from lineset.control import Delivery
from lineset.erasing import series_erasers, shop
from lineset.kit.addresses import database_secret, owner_url
from lineset.kit.background import tend as tend_background
from lineset.kit.background import work_in_background
from lineset.kit.jobs import take_over
from lineset.kit.roles import APP, role_url
from lineset.kit.settings import Settings
from lineset.kit.storage import Storage, storage
from lineset.platform import Platform, open_platform
from lineset.privacy import Context, Purpose, System, Tx, erasure, exporting
from lineset.privacy.audit import jobs as audit_jobs
from lineset.privacy.copies import add_copy_jobs
from lineset.privacy.request_log import REQUESTS, tend

log = structlog.get_logger(__name__)

HOUSEKEEPING = Context(System("housekeeping"), Purpose.KEEP)
DAYS_AHEAD = 2


def jobs(platform: Platform) -> procrastinate.App:
    """The queue with every job of every domain."""
    url = role_url(owner_url(platform.settings), database_secret(platform.settings), APP).set(drivername="postgresql")
    connector = procrastinate.PsycopgConnector(conninfo=url.render_as_string(hide_password=False), min_size=1, max_size=3)
    app = procrastinate.App(connector=connector)
    messaging.add_jobs(app, platform.door, platform.settings, privacy.consented)
    messaging.add_news_jobs(app, platform.door)
    accounts.add_jobs(app, platform.door)
    reports.add_jobs(app, platform.door, voice_of)
    reports.add_reminder_jobs(app, platform.door, voice_of)
    gateways.add_jobs(app, platform.door)
    privacy.add_jobs(app, platform.door, platform.register, reviewing.overdue(platform))
    audit_jobs.add_jobs(app, platform.door)
    telemetry.exports.add_jobs(app, platform.door, storage(platform.settings, "exports"))
    copies = storage(platform.settings, exporting.STORAGE)
    exporting.add_jobs(app, platform.door, copies, workshop(platform, copies))

    history = storage(platform.settings, "history")
    telemetry.add_jobs(app, platform.door, platform.engine, history, series_erasers(platform))

    async def forget_points(subject: UUID, purpose: Purpose, detail: str) -> None:  # noqa: ARG001 - it looks at all homes
        if purpose in (Purpose.PRESENCE, Purpose.LOCATION):
            await telemetry.forget_points(platform.door, platform.engine, history)

    diagnostics.add_jobs(app, platform.door)
    privacy.add_consent_jobs(app, platform.door, [forget_points])
    add_copy_jobs(app, platform.door)
    diagnostics.add_fleet_jobs(app, platform.door)
    diagnostics.add_comparing_jobs(app, platform.door)
    erasure.add_jobs(app, shop(platform))
    diagnostics.add_advice_jobs(app, platform.door)
    add_jobs(app, platform)
    return app


async def voice_of(tx: Tx, person: UUID, zone: str) -> reports.Voice | None:
    """How a person reads reports, in the time zone of a site."""
    from lineset.pages.common.reader import Reader  # noqa: PLC0415 - an idle worker has no use for the pages
    from lineset.pages.common.report_voice import ReaderVoice  # noqa: PLC0415

    found = await accounts.find_reader(tx, person)
    return None if found is None else ReaderVoice(Reader(found.language, "metric" if found.units == "metric" else "us", zone))


def workshop(platform: Platform, copies: Storage) -> exporting.Workshop:
    """Where copies of people's data are made: with what domains hand over, in each person's language."""

    def words(language: str) -> Callable[[str], str]:
        from lineset.pages.common.words import catalogue  # noqa: PLC0415 - an idle worker has no use for the pages

        return catalogue(language).gettext

    async def language(tx: Tx, person: UUID) -> str:
        reader = await accounts.find_reader(tx, person)
        return reader.language if reader is not None else "en"

    exporters: dict[str, exporting.Exporter] = {"measurements": telemetry.exports.Measurements(), "days": diagnostics.DayFiles()}
    return exporting.Workshop(platform.door, copies, platform.register, exporters, language, words, accounts.tell_copy_ready)


def add_jobs(app: procrastinate.App, platform: Platform) -> None:
    """Register what belongs to no domain: room for the coming days, and jobs about jobs."""

    @app.periodic(cron="7 * * * *")
    @app.task(name="telemetry.make_room", queueing_lock="telemetry.make_room")
    async def make_room(timestamp: int) -> None:  # noqa: ARG001 - as above
        await make_days(platform)

    @app.periodic(cron="* * * * *")
    @app.task(name="jobs.take_over", queueing_lock="jobs.take_over", pass_context=True)
    async def resume(context: procrastinate.JobContext, timestamp: int) -> None:  # noqa: ARG001 - as above
        await take_over(context.app)

    @app.periodic(cron="23 * * * *")
    @app.task(name="logs.tend", queueing_lock="logs.tend")
    async def tend_logs(timestamp: int) -> None:  # noqa: ARG001 - as above
        await tend_request_log(platform)

    @app.periodic(cron="13 5 * * *")
    @app.task(name="jobs.forget", queueing_lock="jobs.forget", pass_context=True)
    async def forget(context: procrastinate.JobContext, timestamp: int) -> None:  # noqa: ARG001 - as above
        await context.app.job_manager.delete_old_jobs(nb_hours=7 * 24, include_failed=True, include_cancelled=True, include_aborted=True)


async def tend_request_log(platform: Platform) -> None:
    """Shorten and delete what the request log of this machine has past its times, and count it."""
    done = await asyncio.to_thread(tend, platform.settings.data)
    async with platform.door.open(HOUSEKEEPING) as tx:
        for action in ("deleted", "shortened"):
            await privacy.record_retention(tx, action, {REQUESTS.pattern: done[action]})


async def make_days(platform: Platform) -> None:
    """Make the partitions of today and the next days before the first frame needs them."""
    async with platform.door.open(HOUSEKEEPING) as tx:
        for ahead in range(DAYS_AHEAD):
            day = (datetime.now(UTC) + timedelta(days=ahead)).date()
            await tx.session.execute(text("SELECT access.ensure_day(:day)"), {"day": day})


async def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    work_in_background(loop)
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop.set)
    async with open_platform(settings, "worker", pool=4) as platform:
        tending = asyncio.create_task(tend_background())
        await make_days(platform)
        app = jobs(platform)
        async with app.open_async():

            async def healthy(message: Msg) -> None:
                await message.respond(b"{}")

            await platform.bus.subscribe("health.worker", healthy, queue="worker")
            tasks = [
                asyncio.create_task(stop.wait()),
                asyncio.create_task(Delivery(platform.door, platform.bus).run()),
                asyncio.create_task(_work(app)),
            ]
            log.info("worker_ready")
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in (*tasks, tending):
                task.cancel()
            for task in (*tasks, tending):
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        log.info("worker_stopped", clean=tasks[0] in done)


async def _work(app: procrastinate.App) -> None:
    """The queue's worker, begun again while the database is away."""
    while True:
        try:
            await app.run_worker_async(install_signal_handlers=False, listen_notify=True, concurrency=4, shutdown_graceful_timeout=5)
        except Exception as error:  # noqa: BLE001 - the library passes on whatever its driver raised
            log.warning("queue_away", error=str(error)[:200])
        await asyncio.sleep(1)


def serve(settings: Settings) -> None:
    """Run the role in this process until it is told to stop."""
    # Work on history takes at most half of the machine; the library reads this when it is loaded first.
    os.environ.setdefault("POLARS_MAX_THREADS", str(max(1, (os.cpu_count() or 2) // 2)))
    uvloop.run(run(settings))
