"""Policy and terms: the version in effect, the archive, what changed; cookies and recipients."""

from typing import Any

from litestar import Response, get

from lineset.kit.clock import now
from lineset.kit.errors import NotFound
from lineset.privacy import policy

from ..common.edge import TAG, Ask, edge, page, principal, reader_of
from ..common.published import KINDS, READ, own_grids, processors, state_of


def _kind(name: str) -> policy.Kind:
    for kind in KINDS:
        if kind == name:
            return kind
    raise NotFound("page")


async def _current(request: Ask, kind: policy.Kind) -> Response[Any]:
    """The text in effect. While nothing is published the page says so, and counts as not there."""
    who = await principal(request)
    reader = reader_of(request, who)
    async with edge(request).door.open(READ) as tx:
        state = await state_of(tx, edge(request).settings, kind)
    shown = state.version or state.coming
    if shown is None:
        response = page(request, "public/text_missing.html", reader, who, status=404, state=state, kind=kind)
        response.headers["x-robots-tag"] = "noindex"
        return response
    return page(
        request, "public/text.html", reader, who, kind=kind, version=shown, text=_text(shown, reader.language), state=state, now=now()
    )


@get("/policy")
async def policy_page(request: Ask) -> Response[Any]:
    """The privacy policy."""
    return await _current(request, "policy")


@get("/terms")
async def terms_page(request: Ask) -> Response[Any]:
    """The terms of service."""
    return await _current(request, "terms")


@get("/{kind:str}/versions")
async def archive(request: Ask, kind: str) -> Response[Any]:
    """All versions, newest first."""
    wanted, who = _kind(kind), await principal(request)
    reader = reader_of(request, who)
    async with edge(request).door.open(READ) as tx:
        versions = await policy.list_versions(tx, wanted)
    said = {v.id: [change.said(reader.language) for change in v.changes] for v in versions}
    return page(request, "public/text_archive.html", reader, who, kind=wanted, versions=versions, said=said, now=now())


@get("/{kind:str}/versions/{digest:str}")
async def version_page(request: Ask, kind: str, digest: str) -> Response[Any]:
    """One version, by its address or the first 12 digits of it."""
    wanted, who = _kind(kind), await principal(request)
    reader = reader_of(request, who)
    async with edge(request).door.open(READ) as tx:
        version = await policy.get_version(tx, wanted, digest)
        state = await state_of(tx, edge(request).settings, wanted)
    text = _text(version, reader.language)
    return page(request, "public/text.html", reader, who, kind=wanted, version=version, text=text, state=state, now=now())


@get("/{kind:str}/versions/{digest:str}/changes")
async def changes_page(request: Ask, kind: str, digest: str) -> Response[Any]:
    """What this version changed in the one before it."""
    wanted, who = _kind(kind), await principal(request)
    reader = reader_of(request, who)
    async with edge(request).door.open(READ) as tx:
        version = await policy.get_version(tx, wanted, digest)
        versions = await policy.list_versions(tx, wanted)
    older = versions[[v.id for v in versions].index(version.id) + 1 :]
    before = older[0] if older else None
    found = policy.differences(_text(before, reader.language), _text(version, reader.language)) if before else ()
    said = [change.said(reader.language) for change in version.changes]
    return page(
        request,
        "public/text_changes.html",
        reader,
        who,
        kind=wanted,
        version=version,
        before=before,
        differences=found,
        said=said,
        now=now(),
    )


@get("/cookies")
async def cookies_page(request: Ask) -> Response[Any]:
    """Every cookie, store and log of this build, from the declarations."""
    who = await principal(request)
    reader = reader_of(request, who)
    register = edge(request).register
    logs = [h for h in policy.holders_of(register) if h.categories == ("user.device.ip_address",) and h.name not in register.tables]
    return page(
        request,
        "public/cookies.html",
        reader,
        who,
        cookies=own_grids(register, reader.language).get("cookies"),
        tag=TAG in request.cookies,
        done=request.query_params.get("done", ""),
        logs=[(reader.gettext(h.about), policy.keeping(reader, h.anchor, h.days)) for h in logs],
    )


@get("/recipients")
async def recipients_page(request: Ask) -> Response[Any]:
    """The register of those who receive data, as it is now."""
    who = await principal(request)
    reader = reader_of(request, who)
    here = edge(request)
    async with here.door.open(READ) as tx:
        found = await processors(tx, here.settings)
    rows = [
        (
            p.name or reader.gettext(p.does),
            reader.gettext(p.does),
            ", ".join(policy.category_words(reader, c) for c in p.categories),
            ", ".join(policy.purpose_title(reader, c) for c in p.purposes),
            p.region,
            p.sale,
        )
        for p in found
    ]
    return page(request, "public/recipients.html", reader, who, recipients=rows, region=here.settings.region)


def _text(version: policy.Version, language: str) -> policy.Text:
    texts = version.draft.texts
    return texts.get(language) or texts["en"]


ROUTES = (policy_page, terms_page, archive, version_page, changes_page, cookies_page, recipients_page)
