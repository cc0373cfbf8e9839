"""scopes by which a household lets its contractor administer the account"""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.drop_constraint(op.f("ck_access_grants_scope"), "access_grants", type_="check")
    allowed = "scope IN ('view', 'control', 'equipment', 'people', 'reset', 'members')"
    op.create_check_constraint(op.f("ck_access_grants_scope"), "access_grants", allowed)
