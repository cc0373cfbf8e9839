"""Gateways: claimed and enrolled once each, known by certificate or token, given up and moved on."""

import asyncio
import base64
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from lineset import gateways, sites
from lineset.gateways import ByCertificate, ByToken, Identities
from lineset.gateways.model import CertificateRow, GatewayRow
from lineset.kit.ca import Authority
from lineset.kit.clock import now
from lineset.kit.errors import Conflict, Denied, Invalid, NotFound, TooMany
from lineset.kit.ids import new_id
from lineset.privacy import Context, Door, Purpose, System
from sqlalchemy import select, update

from tests.functional.devices.world import Heard, equipment, home, member, operator, technician

pytestmark = pytest.mark.anyio
ENROLMENT = Context(System("enrolment"), Purpose.SECURITY)


class Device:
    """A device with a key of its own."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = ""

    @property
    def request(self) -> x509.CertificateSigningRequest:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "some device")])
        return x509.CertificateSigningRequestBuilder().subject_name(name).sign(self.key, hashes.SHA256())

    @property
    def csr(self) -> str:
        return self.request.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def shown(self) -> ByCertificate:
        certificate = x509.load_pem_x509_certificate(self.certificate.encode())
        return ByCertificate(certificate.fingerprint(hashes.SHA256()).hex())

    async def enrol(self, door: Door, authority: Authority, code: str) -> gateways.Enrolled:
        enrolled = await gateways.enrol(door, authority, code, self.csr, address=str(new_id()))
        self.certificate = enrolled.certificate
        return enrolled

    async def renew(self, door: Door, authority: Authority, gateway: object, *, by: "Device | None" = None) -> "Device":
        """The device after a renewal: a new key, and the certificate that the old key asked for."""
        new, old = Device(), by or self
        request = new.request
        der = request.public_bytes(serialization.Encoding.DER)
        signature = base64.b64encode(old.key.sign(der, ec.ECDSA(hashes.SHA256()))).decode()
        pem = request.public_bytes(serialization.Encoding.PEM).decode()
        renewed = await gateways.renew(door, authority, str(gateway), pem, self.certificate, signature)
        new.certificate = renewed.certificate
        return new


async def box(door: Door) -> gateways.ClaimCode:
    """A box as it leaves the operator, with a code printed on it."""
    async with door.open(await operator(door)) as tx:
        return (await gateways.mint_gateways(tx, 1))[0]


async def test_EQP_02_a_box_is_claimed_once_and_enrolled_once(door: Door, authority: Authority) -> None:
    code, ours, theirs, device = await box(door), await home(door), await home(door), Device()
    identities = Identities(door)

    await device.enrol(door, authority, code.code)
    answer = await identities.identify(device.shown)
    assert isinstance(answer, gateways.Refused)
    assert answer.code == "not_claimed"

    assert await gateways.claim(door, ours.acting, code.code, ours.site, "Basement") == code.gateway
    assert await identities.identify(device.shown) == gateways.Allowed(code.gateway)

    for household in (theirs, ours):
        with pytest.raises(Conflict) as taken:
            await gateways.claim(door, household.acting, code.code, household.site, "Mine")
        assert "has an owner" in taken.value.say
        assert str(ours.household) not in taken.value.say
    with pytest.raises(Conflict, match="has enrolled a device already"):
        await Device().enrol(door, authority, code.code)
    assert await identities.identify(device.shown) == gateways.Allowed(code.gateway)


async def test_EQP_02_a_box_may_be_claimed_before_it_enrols(door: Door, authority: Authority) -> None:
    code, ours, theirs, device = await box(door), await home(door), await home(door), Device()
    await gateways.claim(door, ours.acting, code.code, ours.site, "Basement")
    with pytest.raises(Conflict, match="the device's turn"):
        await gateways.claim(door, theirs.acting, code.code, theirs.site, "Mine")
    enrolled = await device.enrol(door, authority, code.code)
    assert enrolled.gateway == code.gateway
    assert enrolled.ca == authority.pem
    certificate = x509.load_pem_x509_certificate(enrolled.certificate.encode())
    assert certificate.subject.rfc4514_string() == f"CN={code.gateway}"
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.pem.encode()))
    async with door.open(ours.acting) as tx:
        shown = await gateways.get_gateway(tx, code.gateway)
    assert (shown.state, shown.code_open, shown.site) == ("offline", False, ours.site)
    assert shown.certificate_ends_at is not None


async def test_EQP_02_of_many_claims_and_enrolments_at_once_one_wins(door: Door, authority: Authority) -> None:
    code = await box(door)
    homes = [await home(door) for _ in range(5)]
    claims = await asyncio.gather(*(gateways.claim(door, h.acting, code.code, h.site, "Mine") for h in homes), return_exceptions=True)
    assert [c for c in claims if not isinstance(c, Exception)] == [code.gateway]
    assert all(isinstance(c, Conflict) for c in claims if isinstance(c, Exception))
    enrolments = await asyncio.gather(*(Device().enrol(door, authority, code.code) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(e, gateways.Enrolled) for e in enrolments) == 1
    assert sum(isinstance(e, Conflict) for e in enrolments) == 4


async def test_EQP_02_an_owner_adds_a_gateway_that_nobody_else_can_claim(door: Door, authority: Authority) -> None:
    ours, theirs, device = await home(door), await home(door), Device()
    async with door.open(ours.acting) as tx:
        code = await gateways.create_gateway(tx, ours.site, "  Attic   gateway ")
        assert (await gateways.get_gateway(tx, code.gateway)).state == "waiting"
    assert code.expires_at is not None
    assert timedelta(hours=23) < timedelta(seconds=code.expires_at - now().timestamp()) <= timedelta(hours=24)
    with pytest.raises(Conflict, match="has an owner"):
        await gateways.claim(door, theirs.acting, code.code, theirs.site, "Mine")
    assert (await device.enrol(door, authority, code.code)).gateway == code.gateway
    async with door.open(ours.acting) as tx:
        assert [g.name for g in await gateways.list_gateways(tx, ours.site)] == ["Attic gateway"]


async def test_a_code_ends_after_its_time_and_a_new_one_replaces_it(door: Door, authority: Authority) -> None:
    ours = await home(door)
    async with door.open(ours.acting) as tx:
        code = await gateways.create_gateway(tx, ours.site, "Attic")
        await tx.session.execute(
            update(GatewayRow).where(GatewayRow.id == code.gateway).values(claim_expires_at=now() - timedelta(seconds=1))
        )
    with pytest.raises(Conflict, match="time is over"):
        await Device().enrol(door, authority, code.code)
    async with door.open(ours.acting) as tx:
        fresh = await gateways.new_code(tx, code.gateway)
    with pytest.raises(Invalid, match="No gateway has this code"):
        await Device().enrol(door, authority, code.code)
    await Device().enrol(door, authority, fresh.code)


async def test_codes_are_read_as_people_write_them_and_guesses_are_slowed_down(door: Door) -> None:
    ours, code = await home(door), await box(door)
    written = code.code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    for wrong in ("", "K7QM", "UUUU-UUUU-UUUU-UUUU", code.code + "A"):
        with pytest.raises(Invalid, match="not a claim code"):
            await gateways.claim(door, ours.acting, wrong, ours.site, "Mine")
    await gateways.claim(door, ours.acting, written, ours.site, "Mine")
    thief = await home(door)
    for _ in range(10):
        with pytest.raises(Invalid, match="No gateway has this code"):
            await gateways.claim(door, thief.acting, "0000-0000-0000-0000", thief.site, "Mine")
    with pytest.raises(TooMany):
        await gateways.claim(door, thief.acting, (await box(door)).code, thief.site, "Mine")


async def test_a_lost_answer_can_be_asked_for_again_with_the_same_key_only(door: Door, authority: Authority) -> None:
    ours, device, identities = await home(door), Device(), Identities(door)
    async with door.open(ours.acting) as tx:
        code = await gateways.create_gateway(tx, ours.site, "Attic")
    first = await device.enrol(door, authority, code.code)
    again = await device.enrol(door, authority, code.code)
    assert again.certificate != first.certificate
    assert await identities.identify(device.shown) == gateways.Allowed(code.gateway)
    with pytest.raises(Conflict):
        await Device().enrol(door, authority, code.code)
    async with door.open(ours.acting) as tx:
        await gateways.revoke(tx, code.gateway)
    with pytest.raises(Conflict):
        await device.enrol(door, authority, code.code)


async def test_bad_requests_for_certificates_say_what_to_do(door: Door, authority: Authority) -> None:
    ours = await home(door)
    async with door.open(ours.acting) as tx:
        code = (await gateways.create_gateway(tx, ours.site, "Attic")).code
    for csr, say in (("", "PKCS #10"), ("-----BEGIN nothing", "PKCS #10"), ("x" * 20_000, "at most")):
        with pytest.raises(Invalid, match=say):
            await gateways.enrol(door, authority, code, csr, "203.0.113.9")
    weak = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    pem = weak.sign(ec.generate_private_key(ec.SECP521R1()), hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    with pytest.raises(Invalid, match="P-256"):
        await gateways.enrol(door, authority, code, pem, "203.0.113.9")
    await Device().enrol(door, authority, code)  # none of these used the code up


async def test_EQP_02_revoking_ends_every_identity_and_says_so_at_once(door: Door, authority: Authority, heard: Heard) -> None:
    ours, device, identities = await home(door), Device(), Identities(door)
    async with door.open(ours.acting) as tx:
        code = await gateways.create_gateway(tx, ours.site, "Attic")
        token = (await gateways.create_token(tx, code.gateway)).token
    await device.enrol(door, authority, code.code)
    by_token = ByToken(str(code.gateway), token)
    assert await identities.identify(device.shown) == await identities.identify(by_token) == gateways.Allowed(code.gateway)
    heard.said.clear()
    async with door.open(ours.acting) as tx:
        await gateways.revoke(tx, code.gateway)
        assert not heard.said  # nobody is told before the commit
    assert f"wake.revoke.{code.gateway}" in heard.subjects()
    identities.forget(code.gateway)
    for shown in (device.shown, by_token):
        answer = await identities.identify(shown)
        assert isinstance(answer, gateways.Refused)
        assert answer.code == "revoked"
    async with door.open(ENROLMENT) as tx:
        assert await gateways.live_gateways(tx, [code.gateway]) == set()
    async with door.open(ours.acting) as tx:
        assert (await gateways.get_gateway(tx, code.gateway)).state == "revoked"
        again = await gateways.new_code(tx, code.gateway)
    fresh = Device()
    await fresh.enrol(door, authority, again.code)
    assert await identities.identify(fresh.shown) == gateways.Allowed(code.gateway)
    assert isinstance(await identities.identify(by_token), gateways.Refused)


async def test_a_new_device_ends_the_old_one(door: Door, authority: Authority, heard: Heard) -> None:
    ours, old, new, identities = await home(door), Device(), Device(), Identities(door)
    async with door.open(ours.acting) as tx:
        first = await gateways.create_gateway(tx, ours.site, "Attic")
    await old.enrol(door, authority, first.code)
    async with door.open(ours.acting) as tx:
        second = await gateways.new_code(tx, first.gateway)
    assert isinstance(await identities.identify(old.shown), gateways.Allowed)  # until the new one has enrolled
    heard.said.clear()
    await new.enrol(door, authority, second.code)
    assert f"wake.revoke.{first.gateway}" in heard.subjects()
    identities.forget(first.gateway)
    assert isinstance(await identities.identify(old.shown), gateways.Refused)
    assert isinstance(await identities.identify(new.shown), gateways.Allowed)


async def test_an_answer_from_before_a_revocation_is_not_remembered(door: Door) -> None:
    ours, identities = await home(door), Identities(door)
    async with door.open(ours.acting) as tx:
        gateway = (await gateways.create_gateway(tx, ours.site, "Attic", "simple")).gateway
        token = await gateways.create_token(tx, gateway)
    shown = ByToken(str(gateway), token.token)
    asking = asyncio.create_task(identities.identify(shown))
    await asyncio.sleep(0)
    identities.forget(gateway)  # heard while the question was under way
    assert isinstance(await asking, gateways.Allowed)
    async with door.open(ours.acting) as tx:
        await gateways.revoke_token(tx, token.id)
    assert isinstance(await identities.identify(shown), gateways.Refused)


async def test_tokens_are_shown_once_bounded_and_revocable(door: Door, heard: Heard) -> None:
    ours, identities = await home(door), Identities(door)
    async with door.open(ours.acting) as tx:
        gateway = (await gateways.create_gateway(tx, ours.site, "Meter", "simple")).gateway
        tokens = [await gateways.create_token(tx, gateway) for _ in range(10)]
        with pytest.raises(Conflict, match="10 tokens"):
            await gateways.create_token(tx, gateway)
        assert [t.id for t in (await gateways.get_gateway(tx, gateway)).tokens] == [t.id for t in tokens]
        stored = (await tx.session.execute(select(GatewayRow))).all()
    assert tokens[0].token not in repr(stored)
    for wrong in (tokens[0].token[:-1], "", "lsd_", str(gateway)):
        assert isinstance(await identities.identify(ByToken(str(gateway), wrong)), gateways.Refused)
    assert isinstance(await identities.identify(ByToken(str(new_id()), tokens[0].token)), gateways.Refused)
    assert isinstance(await identities.identify(ByToken("not an id", tokens[0].token)), gateways.Refused)
    heard.said.clear()
    async with door.open(ours.acting) as tx:
        await gateways.revoke_token(tx, tokens[0].id)
    assert f"wake.revoke.{gateway}" in heard.subjects()
    assert isinstance(await identities.identify(ByToken(str(gateway), tokens[0].token)), gateways.Refused)
    assert isinstance(await identities.identify(ByToken(str(gateway), tokens[1].token)), gateways.Allowed)


async def test_a_change_of_hands_ends_the_tokens_that_the_last_owner_knows(door: Door, heard: Heard) -> None:
    house = await home(door)
    async with door.open(house.acting) as tx:
        gateway = (await gateways.create_gateway(tx, house.site, "Cellar", "simple")).gateway
        known = await gateways.create_token(tx, gateway)
    handed_over = now()
    async with door.open(house.acting) as tx:
        fresh = await gateways.create_token(tx, gateway)
    assert await gateways.end_tokens(door, house.site, handed_over) == 1
    assert f"wake.revoke.{gateway}" in heard.subjects()
    identities = Identities(door)
    assert isinstance(await identities.identify(ByToken(str(gateway), known.token)), gateways.Refused)
    assert isinstance(await identities.identify(ByToken(str(gateway), fresh.token)), gateways.Allowed)


async def test_certificates_are_renewed_by_the_present_key(door: Door, authority: Authority) -> None:
    ours, first, identities = await home(door), Device(), Identities(door)
    async with door.open(ours.acting) as tx:
        code = await gateways.create_gateway(tx, ours.site, "Attic")
    await first.enrol(door, authority, code.code)
    second = await first.renew(door, authority, code.gateway)
    for device in (first, second):
        assert await identities.identify(device.shown) == gateways.Allowed(code.gateway)
    third = await second.renew(door, authority, code.gateway)
    identities.forget(code.gateway)
    assert [isinstance(await identities.identify(d.shown), gateways.Allowed) for d in (first, second, third)] == [False, True, True]

    with pytest.raises(Invalid, match="not signed by the present"):
        await third.renew(door, authority, code.gateway, by=Device())
    with pytest.raises(Denied, match="not one of ours"):
        await third.renew(door, authority, new_id())
    with pytest.raises(Denied, match="was ended"):
        await first.renew(door, authority, code.gateway)
    stranger = Device()
    key = stranger.key
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, str(code.gateway))])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    forged = built.not_valid_before(now()).not_valid_after(now() + timedelta(days=1)).sign(key, hashes.SHA256())
    stranger.certificate = forged.public_bytes(serialization.Encoding.PEM).decode()
    with pytest.raises(Denied, match="not one of ours"):
        await stranger.renew(door, authority, code.gateway)
    async with door.open(ENROLMENT) as tx:
        await tx.session.execute(
            update(CertificateRow).where(CertificateRow.gateway_id == code.gateway).values(ends_at=now() - timedelta(seconds=1))
        )
    with pytest.raises(Denied, match="has ended"):
        await third.renew(door, authority, code.gateway)
    answer = await Identities(door).identify(third.shown)
    assert isinstance(answer, gateways.Refused)
    assert answer.code == "ended"


async def test_EQP_02_an_owner_gives_a_gateway_up_and_the_next_one_claims_it(door: Door, authority: Authority, heard: Heard) -> None:
    ours, theirs, device, identities = await home(door), await home(door), Device(), Identities(door)
    async with door.open(ours.acting) as tx:
        code = await gateways.create_gateway(tx, ours.site, "Grandma's attic")
    await device.enrol(door, authority, code.code)
    machine = await equipment(door, ours, code.gateway)
    resident = await member(door, ours.household, "member")
    service, _ = await technician(door, ours.household, "view", "control", "equipment")
    for other in (resident, service):
        with pytest.raises(Denied, match="owner"):
            await gateways.release(door, other, code.gateway)
    with pytest.raises(NotFound):
        await gateways.release(door, theirs.acting, code.gateway)
    heard.said.clear()
    handed_on = await gateways.release(door, ours.acting, code.gateway)
    assert f"wake.revoke.{code.gateway}" in heard.subjects()
    assert isinstance(await identities.identify(device.shown), gateways.Refused)
    async with door.open(ours.acting) as tx:
        assert await gateways.list_gateways(tx) == []
        assert (await sites.get_equipment(tx, machine)).gateway_id is None
    with pytest.raises(Invalid, match="No gateway has this code"):
        await gateways.claim(door, theirs.acting, code.code, theirs.site, "Mine")

    await gateways.claim(door, theirs.acting, handed_on.code, theirs.site, "Mine")
    assert isinstance(await identities.identify(device.shown), gateways.Refused)  # a claim alone does not revive the old identity
    fresh = Device()
    await fresh.enrol(door, authority, handed_on.code)
    assert await identities.identify(fresh.shown) == gateways.Allowed(code.gateway)
    async with door.open(theirs.acting) as tx:
        shown = await gateways.get_gateway(tx, code.gateway)
    assert (shown.name, shown.last_seen_at, shown.version) == ("Mine", None, None)


async def test_EQP_02_a_gateway_moves_with_its_people(door: Door) -> None:
    ours, theirs = await home(door), await home(door)
    async with door.open(ours.acting) as tx:
        gateway = (await gateways.create_gateway(tx, ours.site, "Attic")).gateway
        other = await sites.create_site(tx, ours.household, name="Cabin", time_zone="UTC")
    machine = await equipment(door, ours, gateway)
    async with door.open(ours.acting) as tx:
        with pytest.raises(NotFound):
            await gateways.transfer(tx, gateway, theirs.site)
    async with door.open(ours.acting) as tx:
        await gateways.transfer(tx, gateway, other)
        assert [g.id for g in await gateways.list_gateways(tx, other)] == [gateway]
        assert (await sites.get_equipment(tx, machine)).gateway_id is None
        with pytest.raises(Conflict, match="different sites"):
            await gateways.attach_machine(tx, gateway, machine, "hp1")
        await gateways.transfer(tx, gateway, ours.site)
        await gateways.attach_machine(tx, gateway, machine, "hp1")
        assert (await sites.get_equipment(tx, machine)).gateway_id == gateway


async def test_SEC_04_only_those_who_may_change_equipment_handle_gateways(door: Door) -> None:
    ours, stranger = await home(door), await home(door)
    async with door.open(ours.acting) as tx:
        gateway = (await gateways.create_gateway(tx, ours.site, "Attic")).gateway
        token = await gateways.create_token(tx, gateway)
    guest = await member(door, ours.household, "guest")
    looking, _ = await technician(door, ours.household, "view")
    fitting, _ = await technician(door, ours.household, "view", "equipment")
    for actor, error in ((guest, Denied), (looking, Denied), (stranger.acting, NotFound), (await operator(door), NotFound)):
        for act in (
            lambda tx: gateways.create_gateway(tx, ours.site, "Mine"),
            lambda tx: gateways.create_token(tx, gateway),
            lambda tx: gateways.revoke_token(tx, token.id),
            lambda tx: gateways.new_code(tx, gateway),
            lambda tx: gateways.rename(tx, gateway, "Mine"),
            lambda tx: gateways.revoke(tx, gateway),
        ):
            with pytest.raises(error):
                async with door.open(actor) as tx:
                    await act(tx)
    async with door.open(stranger.acting) as tx:
        assert await gateways.list_gateways(tx) == []
        assert await gateways.list_unclaimed(tx) == []
        with pytest.raises(NotFound):
            await gateways.get_gateway(tx, gateway)
        with pytest.raises(Denied, match="operator"):
            await gateways.mint_gateways(tx, 1)
    async with door.open(guest) as tx:
        assert [g.id for g in await gateways.list_gateways(tx)] == [gateway]
    async with door.open(fitting) as tx:
        await gateways.rename(tx, gateway, "By the boiler")
        await gateways.create_gateway(tx, ours.site, "Second")
