"""erasing series: tenures and slots outlive the machine that they were of, statistics take no samples of measurements"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    # An earlier owner's time with a machine stays when a later owner erases the machine.
    op.drop_constraint("fk_tenures_equipment_id", "tenures", type_="foreignkey")
    op.drop_constraint("fk_slots_equipment_id", "slots", type_="foreignkey")
    op.add_column("series_erasures", sa.Column("household_id", sa.Uuid(), nullable=False))
    op.drop_column("series_erasures", "gateways")
    for table in ("frames", "late_frames", "latest"):
        op.execute(f"ALTER TABLE {table} ALTER COLUMN reals SET STATISTICS 0, ALTER COLUMN totals SET STATISTICS 0")
        op.execute(f"ANALYZE {table}")
