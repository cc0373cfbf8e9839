"""rows of a household that name a thing stay when the thing has become somebody else's and goes"""

from alembic import op

revision = "0019"
down_revision = "0018"

_NAMED = {
    "commands": ("equipment_id",),
    "gateway_connections": ("gateway_id",),
    "gateway_events": ("equipment_id", "gateway_id"),
    "latest": ("equipment_id",),
    "refusals": ("gateway_id",),
    "transfers": ("equipment_id", "site_id"),
}


def upgrade() -> None:
    for table, columns in _NAMED.items():
        for column in columns:
            op.drop_constraint(f"fk_{table}_{column}", table, type_="foreignkey")
