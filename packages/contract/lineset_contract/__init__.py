"""What every part of Lineset shares: wire messages, points and units, equipment profiles, refusals, limits. No I/O."""
