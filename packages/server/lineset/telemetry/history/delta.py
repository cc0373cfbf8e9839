"""The Delta Lake log of history, by which other programs of the field read it.

The log follows the manifest: `publish` brings it to what the manifest says, so a process that dies in between leaves nothing to repair but
that. Neither paths nor the log carry values or names: no statistics are kept but the number of rows.
"""

import json
import time
from collections.abc import Collection
from pathlib import Path

import polars as pl
from deltalake import DeltaTable, Field, PostCommitHookProperties, Schema
from deltalake.schema import ArrayType, PrimitiveType, StructType
from deltalake.transaction import AddAction, RemoveAction

from lineset.kit.storage import Storage
from lineset.telemetry.history.columns import MORE, SUMS, TIME, raw_schema
from lineset.telemetry.history.manifest import Part, Tier

_PARTITIONS = ["keep_days", "period", "bucket"]
_LOG_SETTINGS = {"delta.logRetentionDuration": "interval 0 seconds", "delta.dataSkippingNumIndexedCols": "0"}
_QUIET = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)
_TYPES = {pl.Float64: "double", pl.Float32: "float", pl.Int16: "short", pl.Int32: "integer", pl.String: "string"}


def publish(storage: Storage, tier: Tier, parts: Collection[Part]) -> int:
    """Make the log of this tier name exactly these files; its version. Nothing is written when it does so already. Blocks."""
    table = open_table(storage, tier)
    named = {str(action["path"]) for action in pl.DataFrame(table.get_add_actions(flatten=True)).to_dicts()}
    wanted = {_inside(p): p for p in parts}
    gone = named - wanted.keys()
    new = [p for path, p in wanted.items() if path not in named]
    if gone or new:
        known = {f.name for f in table.schema().fields}
        if wider := [f for f in schema(tier).fields if f.name not in known]:  # what the catalogue has got since
            table.alter.add_columns(wider)
        actions: list[AddAction | RemoveAction] = [*map(_removal, sorted(gone)), *map(_addition, new)]
        table.create_write_transaction(actions, "append", table.schema(), _PARTITIONS, post_commithook_properties=_QUIET)
        table.update_incremental()
    return table.version()


def vacuum(storage: Storage, tier: Tier) -> list[str]:
    """Delete every file that the log does not name, and the log's own past; the deleted paths. Blocks."""
    table = open_table(storage, tier)
    deleted = table.vacuum(0, dry_run=False, enforce_retention_duration=False, full=True, post_commithook_properties=_QUIET)
    table.create_checkpoint()
    table.cleanup_metadata()
    return deleted


def open_table(storage: Storage, tier: Tier) -> DeltaTable:
    """The tier as any program of the field sees it; made where there is none yet."""
    options = dict(storage.options) or None
    address = f"{storage.url}/{tier}"
    if (folder := storage.folder) is not None:
        address = str(folder / tier)
        Path(address).mkdir(mode=0o700, parents=True, exist_ok=True)
    if DeltaTable.is_deltatable(address, options):
        return DeltaTable(address, storage_options=options)
    return DeltaTable.create(address, schema(tier), "ignore", _PARTITIONS, configuration=_LOG_SETTINGS, storage_options=options)


def schema(tier: Tier) -> Schema:
    """The columns of a tier, with those that name the folders."""
    fields = []
    for name, kind in (raw_schema() if tier in ("raw", "held") else SUMS).items():
        if name == MORE:
            pair = StructType([Field("point", PrimitiveType("string")), Field("value", PrimitiveType("float"))])
            fields.append(Field(name, ArrayType(pair, contains_null=True)))
        else:
            fields.append(Field(name, PrimitiveType("timestamp" if kind == TIME else _TYPES[kind])))
    folders = [("keep_days", "integer"), ("period", "date"), ("bucket", "integer")]
    return Schema(fields + [Field(name, PrimitiveType(kind)) for name, kind in folders])


def _inside(part: Part) -> str:
    return part.path.removeprefix(f"{part.tier}/")


def _addition(part: Part) -> AddAction:
    return AddAction(
        path=_inside(part),
        size=part.bytes,
        partition_values={"keep_days": str(part.keep_days), "period": part.period.isoformat(), "bucket": str(part.remainder)},
        modification_time=int(time.time() * 1000),
        data_change=True,
        stats=json.dumps({"numRecords": part.rows}),
    )


def _removal(path: str) -> RemoveAction:
    return RemoveAction(path=path, deletion_timestamp=int(time.time() * 1000), data_change=True)
