"""Hashed names of the built scripts, styles and font, read from the manifest that the front-end build writes."""

from pathlib import Path

import msgspec

STATIC = Path(__file__).resolve().parent.parent / "static"


class _Chunk(msgspec.Struct):
    file: str
    css: list[str] = []
    assets: list[str] = []


class AssetsMissing(Exception):
    """The front end was not built yet."""


class Assets(msgspec.Struct, frozen=True):
    """Addresses of what each page loads."""

    script: str
    styles: tuple[str, ...]
    font: str

    @staticmethod
    def read(folder: Path = STATIC, base: str = "/static/") -> "Assets":
        """Read ``manifest.json`` in `folder`.

        Raises AssetsMissing with what to run when the build has not been made.
        """
        path = folder / "manifest.json"
        try:
            chunks = msgspec.json.decode(path.read_bytes(), type=dict[str, _Chunk])
        except FileNotFoundError as error:
            raise AssetsMissing("The pages' scripts and styles are not built: run `make front`.") from error
        entry = next(chunk for name, chunk in chunks.items() if name.endswith("app.ts"))
        font = next((asset for asset in entry.assets if asset.endswith(".woff2")), "")
        return Assets(
            script=base + entry.file,
            styles=tuple(base + name for name in entry.css),
            font=base + font if font else "",
        )
