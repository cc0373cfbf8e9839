"""Backups that follow erasures: sealed under the keys of those whose data they hold, and restored without what was erased since."""

from lineset.backup.keys import Copy
from lineset.backup.restoring import Restored, Verified, restore, verify
from lineset.backup.sealing import BadBackup
from lineset.backup.taking import Taken, take, take_keys

__all__ = ["BadBackup", "Copy", "Restored", "Taken", "Verified", "restore", "take", "take_keys", "verify"]
