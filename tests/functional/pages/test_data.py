"""Your data: what is held, who saw it, what one chose, one's devices, a copy, and deleting, as somebody without scripts does it."""

import re

import pytest
from lineset import schema
from lineset.privacy.inventory import inventory

from tests.functional.pages.installation import Installation
from tests.support.visitor import PASSWORD, Visitor


def add_home(ines: Visitor) -> str:
    """Ines adds her home; the address of its first page."""
    form = ines.get("/home/sites/new")
    made = ines.send(form, "/home/sites/new", name="Cabin", street="14 Sugar Pine Rd", city="Truckee", time_zone="America/Los_Angeles")
    assert made.status == 200, made.text
    return made.path


def test_PRV_01_one_page_shows_all_of_it_and_every_part_opens(ines: Visitor) -> None:
    home = add_home(ines)
    page = ines.get(f"{home}/privacy")
    assert page.status == 200, page.text[:2000]
    for words in ("Your data", "What we hold", "Who saw it", "Who received it", "You choose", "Devices", "Take it with you", "Delete"):
        assert words in page.text, words
    links = set(re.findall(rf'href="({home}/privacy/[^"#]+)"', page.html))
    assert len(links) > 7
    for link in sorted(links):
        assert ines.get(link).status == 200, link
    for kind in inventory(schema.register()):
        opened = ines.get(f"{home}/privacy/held/{kind.family.key}")
        for rows in re.findall(rf'href="({home}/privacy/held/[^"#]+/[^"#]+)"', opened.html):
            shown = ines.get(rows)
            assert shown.status == 200, rows
            assert "<li>" in shown.html, rows
    people = ines.get(f"{home}/privacy/held/you/people")
    assert "Ines Lund" in people.text
    sites = ines.get(f"{home}/privacy/held/you/sites")
    assert "Cabin" in sites.text
    assert "14 Sugar Pine Rd" in sites.text
