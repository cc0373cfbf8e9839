"""PostgreSQL and NATS from their wheels, started and watched as child processes, and the process tree of `lineset up`."""
