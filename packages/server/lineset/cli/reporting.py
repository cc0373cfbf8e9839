"""The command that writes a report as a file."""

import asyncio
from datetime import date
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.markup import escape

from lineset.cli.shared import Data, app, out, plainly, settings_of
from lineset.kit.errors import Invalid
from lineset.kit.settings import Settings


@app.command()
def report(
    site: Annotated[str, typer.Option(help="Id of the site.")],
    month: Annotated[str, typer.Option(help="The month, as 2026-10.")],
    pdf: Annotated[Path, typer.Option(help="Where to write the PDF.", dir_okay=False)],
    language: Annotated[str, typer.Option(help="en or es.")] = "en",
    units: Annotated[str, typer.Option(help="us or metric.")] = "us",
    data: Data = None,
) -> None:
    """Write a home's monthly report as PDF: how it was used, how its machines ran, what they need."""
    with plainly():
        settings = settings_of(data)
        made = asyncio.run(_made(settings, site, month, language, units))
        pdf.write_bytes(made)
        out.print(f"wrote {escape(str(pdf))}, {len(made) // 1024} KB")


async def _made(settings: Settings, site: str, month: str, language: str, units: str) -> bytes:
    from lineset import reports, sites  # noqa: PLC0415 - a command that writes no report loads none of it
    from lineset.kit.clock import now  # noqa: PLC0415
    from lineset.pages.common.reader import Reader  # noqa: PLC0415
    from lineset.pages.common.report_voice import ReaderVoice  # noqa: PLC0415
    from lineset.platform import open_platform  # noqa: PLC0415
    from lineset.privacy import Context, Purpose, System  # noqa: PLC0415

    if language not in ("en", "es") or units not in ("us", "metric"):
        raise Invalid("bad_reader", "The language is en or es, the units are us or metric.", "language")
    try:
        wanted, which = date.fromisoformat(f"{month}-01"), UUID(site)
    except ValueError:
        raise Invalid("bad_report", "Give the site by its id and the month as 2026-10.", "month") from None
    async with (
        open_platform(settings, "report") as platform,
        platform.door.open(Context(System("diagnosis"), Purpose.OPERATE, which)) as tx,
    ):
        place = await sites.get_site(tx, which)
        found = await reports.home_month(tx, place, wanted)
        voice = ReaderVoice(Reader(language, "metric" if units == "metric" else "us", place.time_zone))
        return await asyncio.to_thread(reports.pdf, reports.household_report(voice, found, now()), "us-letter" if units == "us" else "a4")
