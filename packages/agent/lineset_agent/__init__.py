"""The on-site gateway: reads equipment, keeps every frame on disk until the cloud has it, carries out commands."""

__version__ = "0.1.0"
