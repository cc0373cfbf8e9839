"""Somebody with a browser that runs no scripts: follows links, fills in the forms that a page really has, keeps cookies."""

import itertools
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import httpx

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PASSWORD = "three hundred lemon trees"
_places = itertools.count(2)
_people = itertools.count(1)
_WORKER = 1 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
"""Workers share engines and their log, so each has networks of its own."""


@dataclass
class Form:
    """A form of a page: where it goes, and what it would send untouched."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._inside: Form | None = None
        self._area = self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = Form(values.get("action", ""), values.get("method", "get").lower())
            self.forms.append(self._inside)
        elif self._inside is not None and "name" in values:
            self._control(tag, values, {name for name, _ in attrs})
        elif tag == "option" and self._inside is not None and self._select and "selected" in dict(attrs):
            self._inside.values[self._select] = values.get("value", "")

    def _control(self, tag: str, values: dict[str, str], present: set[str]) -> None:
        assert self._inside is not None
        name, kind = values["name"], values.get("type", "text")
        if tag == "button":
            self._inside.buttons.append((name, values.get("value", "")))
        elif tag == "select":
            self._select = name
            self._inside.values.setdefault(name, "")
        elif tag == "textarea":
            self._area = name
            self._inside.values[name] = ""
        elif tag == "input" and (kind not in {"radio", "checkbox"} or "checked" in present):
            self._inside.values[name] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = None
        elif tag == "textarea":
            self._area = ""
        elif tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        if self._inside is not None and self._area:
            self._inside.values[self._area] += data


@dataclass
class Page:
    """An answer with its forms."""

    response: httpx.Response

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def path(self) -> str:
        return urlsplit(str(self.response.url)).path

    @property
    def html(self) -> str:
        return self.response.text

    @property
    def text(self) -> str:
        """The words of its main part, in one line."""
        main = re.search(r"<main.*?</main>", self.html, re.S)
        return " ".join(re.sub(r"<[^>]+>", " ", main[0] if main else self.html).replace("&#39;", "'").split())

    def form(self, action: str) -> Form:
        """The form that goes to that path; the first, if several do."""
        parser = _Forms()
        parser.feed(self.html)
        for form in parser.forms:
            if urlsplit(form.action).path == action:
                return form
        raise AssertionError(f"{self.path} ({self.status}) has no form for {action}: {[f.action for f in parser.forms]}\n{self.text[:500]}")


class Visitor:
    """One browser, at a network address of its own on loopback, so that visitors do not throttle each other."""

    def __init__(self, url: str, *, language: str = "en-US", agent: str = FIREFOX) -> None:
        number = next(_places)
        self.url = url
        self.place = f"127.{_WORKER}.{number >> 8}.{number & 255}"
        # localhost may mean ::1, which 127.x.y.z can't reach
        self._base = url.replace("localhost", "127.0.0.1")
        headers = {"user-agent": agent, "accept-language": language, "host": urlsplit(url).netloc}
        transport = httpx.HTTPTransport(local_address=self.place)
        self.client = httpx.Client(base_url=self._base, transport=transport, headers=headers, timeout=30, follow_redirects=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.client.close()

    def get(self, path: str) -> Page:
        """Open a path, or an address of this installation as it stands in a mail."""
        return Page(self.client.get(path.replace(self.url, "")))

    def send(self, page: Page, action: str, **values: str | list[str]) -> Page:
        """Fill in that form of the page and send it."""
        form = page.form(action)
        return Page(self.client.post(urljoin(self._base, form.action), data={**form.values, **values}))

    def post(self, path: str, **values: str) -> httpx.Response:
        """Post without going through a page."""
        return self.client.post(path, data=values, follow_redirects=False)

    def mail(self, to: str, contains: str) -> str:
        """The first link with `contains` in the newest mail to that address that has one."""
        box = self.get("/mailbox")
        for mail_id, address in re.findall(r'href="/mailbox/([0-9a-f-]+)".*?class="to">([^<]*)<', box.html, re.S):
            if address.strip() == to:
                found = re.search(rf'href="({re.escape(self.url)}{re.escape(contains)}[^"]*)"', self.get(f"/mailbox/{mail_id}").html)
                if found:
                    return found[1].replace("&amp;", "&")
        raise AssertionError(f"no mail to {to} with a link to {contains}")

    def sign_up(self, name: str = "Ines Lund", *, household: str = "", email: str = "") -> str:
        """Sign up, confirm by the mail, be signed in; the e-mail address."""
        email = email or new_address(name)
        self.send(self.get("/sign-up"), "/sign-up", name=name, email=email, password=PASSWORD, household=household)
        landed = self.send(self.get(self.mail(email, "/verify")), "/verify", password=PASSWORD)
        assert "ls_session" in self.client.cookies, landed.text
        return email

    def sign_in(self, email: str, password: str = PASSWORD) -> Page:
        """Sign in by the form."""
        return self.send(self.get("/sign-in"), "/sign-in", email=email, password=password)

    @property
    def csrf(self) -> str:
        """The token that this browser's forms carry."""
        self.client.get("/contact")
        return self.client.cookies.get("ls_csrf") or ""

    @property
    def session(self) -> str:
        """What the session's cookie holds; empty for none."""
        return self.client.cookies.get("ls_session") or ""


def new_address(name: str) -> str:
    """An e-mail address that no test had before."""
    return f"{name.split(maxsplit=1)[0].lower()}.{next(_people)}@example.org"


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Whether that comes true in time."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
