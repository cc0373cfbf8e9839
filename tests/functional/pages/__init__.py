"""The pages' forms as somebody without scripts uses them, on the real web process."""
