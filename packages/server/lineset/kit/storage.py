"""Where files lie that are larger than rows: a folder of this machine, or S3-compatible storage that several machines share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from lineset.kit.settings import Settings

if TYPE_CHECKING:
    from obstore.store import ObjectStore


@dataclass(frozen=True, slots=True)
class Storage:
    """An address, `file:///folder` or `s3://bucket/prefix`, and what it takes to reach it."""

    url: str
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path | None:
        """The folder, or None for object storage."""
        return Path(self.url.removeprefix("file://")) if self.url.startswith("file://") else None

    def store(self, below: str = "") -> "ObjectStore":
        """What lies below a folder, as an object store. Its calls block."""
        from obstore.store import from_url  # noqa: PLC0415 - processes that touch no files do not load it

        if (folder := self.folder) is not None:
            (folder / below).mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder is not None:
            return from_url(f"{self.url}/{below}".rstrip("/"))
        config = {name: value for name, value in self.options.items() if name != "aws_allow_http"}
        client = {"allow_http": True} if self.options.get("aws_allow_http") == "true" else {}
        return from_url(f"{self.url}/{below}".rstrip("/"), config=cast("Any", config), client_options=cast("Any", client))


def storage(settings: Settings, name: str) -> Storage:
    """The storage of that name: a folder of the data folder, or below `LINESET_HISTORY_URL` where that is set."""
    if not settings.history_url:
        folder = settings.data / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Storage(f"file://{folder}")
    s3 = settings.s3
    named = {
        "aws_endpoint_url": s3.endpoint,
        "aws_region": s3.region or ("us-east-1" if s3.endpoint else ""),
        "aws_access_key_id": s3.key_id,
        "aws_secret_access_key": s3.secret,
        "aws_allow_http": "true" if s3.endpoint.startswith("http://") else "",
        "aws_virtual_hosted_style_request": "false" if s3.endpoint else "",
    }
    return Storage(f"{settings.history_url}/{name}", {key: value for key, value in named.items() if value})
