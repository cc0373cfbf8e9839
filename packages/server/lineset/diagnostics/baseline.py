"""What each machine's own behaviour is expected to be, learnt from its healthy hours."""
