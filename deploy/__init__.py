"""Lineset on several machines: what each of them needs, from one plan; and the same on the loopback of one machine."""
