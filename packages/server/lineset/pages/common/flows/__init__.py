"""Flows that home app and portal share: machines, gateways, sites."""
