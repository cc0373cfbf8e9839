"""People, companies, sites and machines of the demo, made through the same faces as everybody's."""

from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import structlog
from lineset_simulator.fleet import demo_contractors, demo_fleet
from lineset_simulator.spec import Contractor, HomeSpec

from lineset import accounts, gateways, sites
from lineset.demo.notes import Device, Home, Machine, Notes, Sign, password, write
from lineset.kit.errors import Conflict
from lineset.platform import Platform
from lineset.privacy import Context, Person, Purpose, System, Tx

log = structlog.get_logger(__name__)

SETUP = Context(System("setup"), Purpose.OPERATE)
ADMINISTER = Context(System("setup"), Purpose.ADMINISTER)
HERE = accounts.Browser("127.0.0.1", "lineset demo")


class Seeding:
    """Makes what is missing, and notes each step once it is committed."""

    def __init__(self, platform: Platform, notes: Notes, path: Path) -> None:
        self._platform = platform
        self._door = platform.door
        self._notes = notes
        self._path = path

    def _note(self) -> None:
        write(self._path, self._notes)

    async def everything(self) -> None:
        """All accounts, sites and machines."""
        await self._operator()
        for index, contractor in enumerate(demo_contractors()):
            await self._contractor(index, contractor)
        for spec in demo_fleet():
            await self._home(spec)
        await self._device()
        log.info("demo_accounts_ready", homes=len(self._notes.homes))

    async def _operator(self) -> None:
        sign = self._notes.operator
        if sign.token:
            return
        async with self._door.open(Context(System("setup"), Purpose.ACCOUNT)) as tx:
            link = await accounts.operator_link(tx)
        if link is not None:
            made = await accounts.set_up_operator(
                self._door,
                link.rpartition("=")[2].rpartition("/")[2],
                name="Sam Okafor",
                email=sign.email,
                password=sign.password,
                browser=HERE,
            )
            sign.person = made.person_id
        await self._signed(sign)

    async def _signed(self, sign: Sign) -> None:
        """The account's id, from an earlier start if need be, and a token for programs."""
        if sign.person is None:
            sign.person = (await accounts.sign_in(self._door, sign.email, sign.password, HERE)).person_id
        async with self._door.open(Context(Person(sign.person), Purpose.SECURITY)) as tx:
            sign.token = await accounts.make_token(tx, "Demo")
        self._note()

    async def _account(self, sign: Sign, name: str, **values: str | bool) -> UUID | None:
        """Make an account; the id of its household if one was asked for."""
        try:
            made = await accounts.make_account(self._door, name=name, email=sign.email, password=sign.password, **values)  # type: ignore[arg-type]
        except Conflict:
            return None
        sign.person = made.person_id
        return made.household_id

    async def _contractor(self, index: int, contractor: Contractor) -> None:
        if index < len(self._notes.companies):
            return
        signs = [Sign(p.email, password()) for p in contractor.people]
        operator = self._notes.operator.person
        assert operator is not None  # noqa: S101 - made before
        for sign, person in zip(signs, contractor.people, strict=True):
            await self._account(sign, person.name, time_zone=contractor.tz)
        async with self._door.open(Context(Person(operator), Purpose.ADMINISTER)) as tx:
            company = await accounts.create_company(tx, name=contractor.name, email=signs[0].email)
        async with self._door.open(ADMINISTER) as tx:
            for sign, person in zip(signs, contractor.people, strict=True):
                assert sign.person is not None  # noqa: S101 - made above
                await accounts.add_staff(tx, company, sign.person, person.role)
        self._notes.companies.append(company)
        self._notes.contractors.append(signs)
        self._note()
        for sign in signs:
            await self._signed(sign)

    async def _home(self, spec: HomeSpec) -> None:
        home = self._notes.homes.setdefault(spec.key, Home([Sign(p.email, password()) for p in spec.people]))
        if home.gateway is not None:
            return
        self._note()
        owner = home.people[0]
        if home.household is None:
            business = spec.kind == "commercial"
            home.household = await self._account(owner, spec.people[0].name, household=spec.name, business=business, time_zone=spec.tz)
            self._note()
        await self._signed(owner)
        assert owner.person is not None  # noqa: S101 - signed in just now
        if home.household is None:
            principal = await accounts.Authenticator(self._door).bearer(owner.token)
            home.household = principal.households[0].id if principal else None
        assert home.household is not None  # noqa: S101 - every owner has one
        context = Context(Person(owner.person), Purpose.OPERATE)
        async with self._door.open(context) as tx:
            home.site = await self._site(tx, spec, home)
            company = self._notes.companies[spec.contractor]
        async with self._door.open(Context(Person(owner.person), Purpose.ACCOUNT)) as tx:
            await accounts.grant_access(tx, home.household, company, accounts.SCOPES)
        self._note()

    async def _site(self, tx: Tx, spec: HomeSpec, home: Home) -> UUID:
        a = spec.address
        address = sites.Address(street=a.street, city=a.town, region=a.state, postal_code=a.postcode, country=a.country)
        assert home.household is not None  # noqa: S101 - the caller has made it
        site = await sites.create_site(tx, home.household, name=spec.site_name, time_zone=spec.tz, kind=spec.kind, address=address)
        zones = [await sites.add_zone(tx, site, zone.name) for zone in spec.zones]
        code = await gateways.create_gateway(tx, site, "Gateway")
        since = datetime.fromtimestamp(self._notes.anchor - 30 * 86_400, UTC)
        for e in spec.equipment:
            new = sites.NewEquipment(
                name=e.local.upper(),
                type=e.type,
                local_name=e.local,
                make=e.make,
                model=e.model,
                serial_number=e.serial,
                capacity_w=e.capacity or None,
                fuel=e.fuel,
                refrigerant=e.refrigerant,
                place=e.location,
                installed_on=date.fromisoformat(e.installed) if e.installed else None,
            )
            zone = zones[e.zone] if zones else None
            id_ = await sites.add_equipment(tx, site, new, zone_id=zone, gateway_id=code.gateway, owned_since=since)
            home.machines.append(Machine(id_, e.type, e.local))
        home.gateway, home.code = code.gateway, code.code
        return site

    async def _device(self) -> None:
        if self._notes.device is not None:
            return
        home = next(iter(self._notes.homes.values()))
        owner = home.people[0].person
        assert owner is not None  # noqa: S101 - made above
        assert home.site is not None  # noqa: S101 - made above
        async with self._door.open(Context(Person(owner), Purpose.OPERATE)) as tx:
            code = await gateways.create_gateway(tx, home.site, "Try it by hand", "simple")
            new = sites.NewEquipment(name="By hand", type="thermostat", local_name="byhand", place="on the bench")
            equipment = await sites.add_equipment(tx, home.site, new, gateway_id=code.gateway)
            token = await gateways.create_token(tx, code.gateway)
        self._notes.device = Device(code.gateway, token.token, equipment)
        self._note()
