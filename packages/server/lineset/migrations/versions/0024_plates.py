"""the refrigerant on a machine's plate, and who installed it"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    for name in ("refrigerant", "installer"):
        op.add_column("equipment", sa.Column(name, sa.String(), server_default="", nullable=False))
