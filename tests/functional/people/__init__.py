"""People's flows through the services, on a real database."""
