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

__all__ = [
    "SITE_KINDS",
    "Address",
    "Equipment",
    "NewEquipment",
    "Site",
    "Zone",
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
    "list_sites",
    "remove_zone",
    "rename_zone",
    "retire_equipment",
    "search_sites",
]
