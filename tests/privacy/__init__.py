"""The vocabulary, the door, row-level security and the vault."""
