"""The ledger of consent: what was asked in which words, what people answered, what holds today. Its face stands in `lineset.privacy`."""
