"""Sites, zones and machines, and who owned which machine when."""

from lineset.sites.checks import SITE_KINDS, Address, NewEquipment
from lineset.sites.queries import Equipment, Site, Zone, get_equipment, get_site, households_of, list_equipment, list_sites, search_sites
from lineset.sites.service import (
    add_equipment,
    add_zone,
    attach_equipment,
    change_equipment,
    change_site,
    create_site,
    extend_tenure,
    remove_zone,
    rename_zone,
    retire_equipment,
)
from lineset.sites.transfer import (
    Offer,
    accept_equipment,
    accept_site,
    list_offers,
    offer_equipment,
    offer_site,
    read_offer,
    withdraw_offer,
)

__all__ = [
    "SITE_KINDS",
    "Address",
    "Equipment",
    "NewEquipment",
    "Offer",
    "Site",
    "Zone",
    "accept_equipment",
    "accept_site",
    "add_equipment",
    "add_zone",
    "attach_equipment",
    "change_equipment",
    "change_site",
    "create_site",
    "extend_tenure",
    "get_equipment",
    "get_site",
    "households_of",
    "list_equipment",
    "list_offers",
    "list_sites",
    "offer_equipment",
    "offer_site",
    "read_offer",
    "remove_zone",
    "rename_zone",
    "retire_equipment",
    "search_sites",
    "withdraw_offer",
]
