"""Headers that each page carries: scripts only with this response's nonce, styles and all else only from here."""

from datetime import timedelta

from litestar.datastructures import CacheControlHeader


def content_security_policy(nonce: str) -> str:
    """The policy of one page. A page without scripts passes an empty nonce and gets none."""
    script = f"'nonce-{nonce}'" if nonce else "'none'"
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {script}",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "worker-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )


PAGE_HEADERS: dict[str, str] = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(self), microphone=(), payment=(), usb=()",
    "cache-control": "private, no-store",
}

HASHED = CacheControlHeader(public=True, immutable=True, max_age=int(timedelta(days=365).total_seconds()))
UNHASHED = CacheControlHeader(public=True, max_age=int(timedelta(hours=1).total_seconds()))
