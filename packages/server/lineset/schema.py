"""Everything that holds data, put together: the tables of all domains, and the register of streams, files and cookies."""

from lineset.accounts import model as _accounts
from lineset.apps import model as _apps
from lineset.apps import model_tags as _tags
from lineset.control import model as _control
from lineset.diagnostics import model as _diagnostics
from lineset.diagnostics import model_advice as _advice
from lineset.diagnostics.predict import model as _predict
from lineset.gateways import model as _gateways
from lineset.kit.bus import TOMBSTONE_DAYS, TOMBSTONES_STREAM
from lineset.kit.database import Base
from lineset.kit.jobs import SCHEMA as JOBS
from lineset.messaging import model as _messaging
from lineset.messaging import model_news as _news
from lineset.privacy import Cookie, Engine, File, Purpose, Register, Retention, Stream, Subject
from lineset.privacy import model as _privacy
from lineset.privacy import model_changes as _changes
from lineset.privacy import model_copies as _copies
from lineset.privacy import model_inferences as _inferences
from lineset.privacy.audit import model as _audit
from lineset.privacy.consent import model as _consent
from lineset.privacy.copies import DATA_COPY_DAYS, KEY_COPY_DAYS
from lineset.privacy.egress import model as _egress
from lineset.privacy.erasure import model as _erasure
from lineset.privacy.exporting import model as _exporting
from lineset.privacy.policy import model as _policy
from lineset.privacy.request_log import REQUESTS
from lineset.reports import model as _reports
from lineset.sites import model as _sites
from lineset.sites import model_places as _places
from lineset.telemetry import model as _telemetry
from lineset.telemetry import model_exports as _exports
from lineset.telemetry import model_history as _history

MIGRATIONS = "migrations"
metadata = Base.metadata
MODELS = (
    _accounts,
    _apps,
    _audit,
    _changes,
    _consent,
    _control,
    _copies,
    _advice,
    _diagnostics,
    _egress,
    _erasure,
    _exporting,
    _exports,
    _gateways,
    _history,
    _inferences,
    _messaging,
    _news,
    _places,
    _policy,
    _predict,
    _privacy,
    _reports,
    _sites,
    _tags,
    _telemetry,
)
_AS_LONG_AS_USED = Retention("replaced", 0)

ENGINES = (
    Engine(
        JOBS,
        "jobs to be done: names, ids, times",
        "procrastinate",
        (Purpose.KEEP, Purpose.COMMUNICATE),
        Retention("done", 7),
        app=True,
    ),
    Engine(MIGRATIONS, "which migrations have run", "alembic", (Purpose.KEEP,), _AS_LONG_AS_USED),
)
STREAMS = (
    Stream(
        "$MQTT_msgs",
        "messages of devices that asked for a receipt, until they are stored",
        "equipment.measurement",
        Subject.HOUSEHOLD,
        (Purpose.OPERATE,),
        Retention("stored", 0),
    ),
    Stream(
        "$MQTT_sess",
        "sessions of devices",
        "user.device.device_id",
        Subject.HOUSEHOLD,
        (Purpose.OPERATE,),
        Retention("disconnected", 1),
    ),
    Stream(
        "$MQTT_rmsgs",
        "the last status of each device",
        "equipment.event",
        Subject.HOUSEHOLD,
        (Purpose.OPERATE,),
        _AS_LONG_AS_USED,
    ),
    Stream(
        "$MQTT_out",
        "messages to devices on their way",
        "equipment.setting",
        Subject.HOUSEHOLD,
        (Purpose.OPERATE,),
        Retention("delivered", 0),
    ),
    Stream(
        "$MQTT_qos2in",
        "messages of devices on their way",
        "equipment.measurement",
        Subject.HOUSEHOLD,
        (Purpose.OPERATE,),
        Retention("stored", 0),
    ),
    Stream(
        "KV_subject_keys",
        "the wrapped keys under which names and addresses are sealed",
        "user.authorization.credentials",
        Subject.PERSON,
        (Purpose.SECURITY,),
        Retention("erasure", 0),
    ),
    Stream(
        TOMBSTONES_STREAM,
        "which ids were erased, so that a restored backup loses them again",
        "user.unique_id",
        Subject.PERSON,
        (Purpose.KEEP,),
        Retention("erasure", TOMBSTONE_DAYS),
    ),
)
FILES = (
    File(
        "ca.pem",
        "the public certificate of the platform's authority",
        "system.operations",
        Subject.NOBODY,
        (Purpose.SECURITY,),
        _AS_LONG_AS_USED,
    ),
    File(
        "demo.json",
        "sign-ins of the demo, made at its first start",
        "user.authorization.credentials",
        Subject.NOBODY,
        (Purpose.ADMINISTER,),
        _AS_LONG_AS_USED,
    ),
    File(
        "secrets/**",
        "keys and secrets of this installation",
        "user.authorization.credentials",
        Subject.NOBODY,
        (Purpose.SECURITY,),
        _AS_LONG_AS_USED,
    ),
    File(
        "history/raw/**",
        "measurements of days past",
        "equipment.measurement",
        Subject.HOUSEHOLD,
        (Purpose.OPERATE, Purpose.SERVICE, Purpose.KEEP),
        Retention("measured", _telemetry.RAW_DAYS),
    ),
    *(
        File(
            f"history/{tier}/**",
            f"{name} sums of measurements",
            "equipment.measurement",
            Subject.HOUSEHOLD,
            (Purpose.OPERATE, Purpose.SERVICE, Purpose.KEEP),
            Retention("measured", _telemetry.ROLLUP_DAYS),
        )
        for tier, name in (("hour", "hourly"), ("day", "daily"))
    ),
    File(
        "history/held/**",
        "measurements that a hold keeps from being deleted",
        "equipment.measurement",
        Subject.HOUSEHOLD,
        (Purpose.KEEP,),
        Retention("hold ended", 31),
    ),
    File(
        "exports/**",
        "measurements that somebody asked to download",
        "equipment.measurement",
        Subject.PERSON,
        (Purpose.OPERATE, Purpose.SERVICE, Purpose.KEEP),
        Retention("ready", _exports.FILE_DAYS),
    ),
    File(
        "backups/*.keys",
        "copies of the keys that open backups",
        "user.authorization.credentials",
        Subject.PERSON,
        (Purpose.KEEP,),
        Retention("made", KEY_COPY_DAYS),
    ),
    File(
        "backups/**",
        "backups, sealed under the keys of those whose data they hold",
        "system.operations",
        Subject.HOUSEHOLD,
        (Purpose.KEEP,),
        Retention("made", DATA_COPY_DAYS),
    ),
    File(
        "account_exports/**",
        "copies of all data about somebody that they asked for",
        "user.content.private",
        Subject.PERSON,
        (Purpose.RIGHTS,),
        Retention("ready", _exporting.FILE_DAYS),
    ),
    File("postgres/**", "the database", "system.operations", Subject.HOUSEHOLD, (Purpose.OPERATE,), _AS_LONG_AS_USED),
    File(
        "nats/**",
        "the message broker's store",
        "system.operations",
        Subject.HOUSEHOLD,
        (Purpose.OPERATE,),
        _AS_LONG_AS_USED,
    ),
    REQUESTS,
    File(
        "logs/**",
        "logs of the platform's processes",
        "user.device.ip_address",
        Subject.NOBODY,
        (Purpose.SECURITY,),
        Retention("written", 14),
    ),
    File(
        "run/**",
        "process numbers and sockets",
        "system.operations",
        Subject.NOBODY,
        (Purpose.OPERATE,),
        _AS_LONG_AS_USED,
    ),
    File(
        "demo/**",
        "state of the demo's simulated homes",
        "system.operations",
        Subject.NOBODY,
        (Purpose.OPERATE,),
        _AS_LONG_AS_USED,
    ),
)
COOKIES = (
    Cookie("ls_session", "keeps you signed in", Purpose.SECURITY, True, 30),
    Cookie("ls_csrf", "makes sure that a form was sent from our own page", Purpose.SECURITY, True, None),
    Cookie("ls_choice", "remembers your answer about what is not needed", Purpose.RIGHTS, True, 365),
    Cookie("ls_signal", "remembers that your browser says Global Privacy Control to scripts", Purpose.RIGHTS, True, None),
    Cookie("ls_theme", "remembers light or dark", Purpose.ACCOUNT, True, 365),
    Cookie("ls_opened", "counts a visit once in a browser's session", Purpose.SECURITY, True, None, "session"),
    Cookie("ls_tag", "ties errors of our pages together while nobody is signed in", Purpose.SECURITY, False, 90, asks=False),
    Cookie("ls_language", "remembers your language before you sign in", Purpose.ACCOUNT, True, 365),
)


def register() -> Register:
    """The register of this build.

    Raises:
        Undeclared: a table or column of the code has no declaration.
    """
    return Register(metadata, ENGINES, STREAMS, FILES, COOKIES)
