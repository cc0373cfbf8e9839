"""The access log: who of the others saw or changed a home, why, and the proof that nobody changed the log."""

from lineset.privacy.audit.action import acting, note_action, present_action

__all__ = ["acting", "note_action", "present_action"]
