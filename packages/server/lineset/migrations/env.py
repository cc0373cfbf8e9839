"""Alembic's environment: migrations run on the connection that `lineset.schema` hands over, as the owner."""

from typing import Any

from alembic import context
from alembic.operations.ops import CreateTableOp

from lineset.schema import MIGRATIONS, metadata


def ours(_: Any, name: str | None, kind: str, reflected: bool, __: Any) -> bool:
    """Leave out what is made at run time: the partitions of single days."""
    return not (kind == "table" and reflected and name is not None and name.startswith("frames_"))


def without_declarations(_: Any, __: Any, directives: list[Any]) -> None:
    """Leave the privacy declarations out of generated migrations: they are state of the code, applied after each migration."""
    for script in directives:
        for step in script.upgrade_ops.ops:
            if isinstance(step, CreateTableOp):
                step.info.clear()


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table_schema=MIGRATIONS,
    include_object=ours,
    process_revision_directives=without_declarations,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
