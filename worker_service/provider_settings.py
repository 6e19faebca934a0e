"""The settings of the services that a worker asks for rows."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from carbonline.serving.declared_settings import Setting, seconds
from carbonline.serving.settings import SettingsReader
from worker_service.providers.access import TravelApiAccess, UnitDirectoryAccess
from worker_service.providers.secret import Secret

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# Said instead of the number of the first page.
NO_PAGES = "none"
_WITH_URL = "Required with TRAVEL_API_URL."

TRAVEL_API_URL = Setting(
    "TRAVEL_API_URL",
    "https://HOST, or http:// on the local machine",
    "The travel API (Tableau, VizQL Data Service) that the provider `travel-api` asks. If it is "
    "not set, this worker has no such provider.",
)
TRAVEL_API_SITE = Setting(
    "TRAVEL_API_SITE", "text", "The content URL of the site; empty for the default site."
)
TRAVEL_API_DATASOURCE = Setting(
    "TRAVEL_API_DATASOURCE", "a LUID", f"The published data source of flights. {_WITH_URL}"
)
TRAVEL_API_USER = Setting(
    "TRAVEL_API_USER", "a user name", f"The user that the worker acts for. {_WITH_URL}"
)
TRAVEL_API_CLIENT_ID = Setting(
    "TRAVEL_API_CLIENT_ID", "text", f"The client id of the connected app. {_WITH_URL}"
)
TRAVEL_API_SECRET_ID = Setting(
    "TRAVEL_API_SECRET_ID", "text", f"The id of the app's secret. {_WITH_URL}"
)
TRAVEL_API_SECRET = Setting(
    "TRAVEL_API_SECRET", "text", "The app's secret. Better give TRAVEL_API_SECRET_FILE."
)
TRAVEL_API_SECRET_FILE = Setting(
    "TRAVEL_API_SECRET_FILE",
    "a path",
    "A file with the app's secret on its first line, read at each sign-in.",
    holds_secret=True,
)
TRAVEL_API_REST_VERSION = Setting(
    "TRAVEL_API_REST_VERSION",
    "a version such as 3.24",
    "The version of the REST API that signs in.",
    default="3.24",
)
TRAVEL_API_TIMEOUT_SECONDS = seconds(
    "TRAVEL_API_TIMEOUT_SECONDS", "120", "How long one request may take, with its answer."
)
UNIT_DIRECTORY_URL = Setting(
    "UNIT_DIRECTORY_URL",
    "https://HOST/PATH, or http:// on the local machine",
    "The list of the institution's units that the provider `unit-directory` asks, in pages of "
    "JSON. If it is not set, this worker has no such provider.",
)
UNIT_DIRECTORY_USER = Setting(
    "UNIT_DIRECTORY_USER", "a user name", "Who asks. Required with UNIT_DIRECTORY_URL."
)
UNIT_DIRECTORY_PASSWORD = Setting(
    "UNIT_DIRECTORY_PASSWORD", "text", "The password. Better give UNIT_DIRECTORY_PASSWORD_FILE."
)
UNIT_DIRECTORY_PASSWORD_FILE = Setting(
    "UNIT_DIRECTORY_PASSWORD_FILE",
    "a path",
    "A file with the password on its first line, read for each page.",
    holds_secret=True,
)
UNIT_DIRECTORY_LIST = Setting(
    "UNIT_DIRECTORY_LIST", "text", "The key of the list of units in an answer.", default="units"
)
UNIT_DIRECTORY_ID = Setting(
    "UNIT_DIRECTORY_ID", "text", "The key of a unit's institutional id.", default="id"
)
UNIT_DIRECTORY_NAME = Setting(
    "UNIT_DIRECTORY_NAME", "text", "The key of a unit's name.", default="name"
)
UNIT_DIRECTORY_PARENT = Setting(
    "UNIT_DIRECTORY_PARENT",
    "text",
    "The key of the id of the unit above a unit; left out, the directory tells no tree of units.",
)
UNIT_DIRECTORY_TOTAL = Setting(
    "UNIT_DIRECTORY_TOTAL",
    "text",
    "The key of how many units there are in all. Fewer that come are refused, if an answer has it.",
    default="total",
)
UNIT_DIRECTORY_PAGE = Setting(
    "UNIT_DIRECTORY_PAGE", "text", "The parameter with the number of the page.", default="page"
)
UNIT_DIRECTORY_SIZE = Setting(
    "UNIT_DIRECTORY_SIZE", "text", "The parameter with the size of a page.", default="pageSize"
)
UNIT_DIRECTORY_FIRST_PAGE = Setting(
    "UNIT_DIRECTORY_FIRST_PAGE",
    "0, 1 or none",
    "The number of the first page; none if the directory answers all units at once.",
    default="0",
)
UNIT_DIRECTORY_TIMEOUT_SECONDS = seconds(
    "UNIT_DIRECTORY_TIMEOUT_SECONDS", "120", "How long one request may take, with its answer."
)
PROVIDER_SETTINGS: Sequence[Setting] = (
    TRAVEL_API_URL,
    TRAVEL_API_SITE,
    TRAVEL_API_DATASOURCE,
    TRAVEL_API_USER,
    TRAVEL_API_CLIENT_ID,
    TRAVEL_API_SECRET_ID,
    TRAVEL_API_SECRET,
    TRAVEL_API_SECRET_FILE,
    TRAVEL_API_REST_VERSION,
    TRAVEL_API_TIMEOUT_SECONDS,
    UNIT_DIRECTORY_URL,
    UNIT_DIRECTORY_USER,
    UNIT_DIRECTORY_PASSWORD,
    UNIT_DIRECTORY_PASSWORD_FILE,
    UNIT_DIRECTORY_LIST,
    UNIT_DIRECTORY_ID,
    UNIT_DIRECTORY_NAME,
    UNIT_DIRECTORY_PARENT,
    UNIT_DIRECTORY_TOTAL,
    UNIT_DIRECTORY_PAGE,
    UNIT_DIRECTORY_SIZE,
    UNIT_DIRECTORY_FIRST_PAGE,
    UNIT_DIRECTORY_TIMEOUT_SECONDS,
)


def travel_api_access(read: SettingsReader) -> TravelApiAccess | None:
    """How to reach the travel API; None if this worker does not."""
    url = _service_url(read, TRAVEL_API_URL)
    access = TravelApiAccess(
        url=url,
        site=read.text(TRAVEL_API_SITE),
        datasource=read.text(TRAVEL_API_DATASOURCE),
        user=read.text(TRAVEL_API_USER),
        client_id=read.text(TRAVEL_API_CLIENT_ID),
        secret_id=read.text(TRAVEL_API_SECRET_ID),
        secret=_secret(read, TRAVEL_API_SECRET, TRAVEL_API_SECRET_FILE),
        rest_version=read.text(TRAVEL_API_REST_VERSION),
        timeout_seconds=read.seconds(TRAVEL_API_TIMEOUT_SECONDS),
    )
    if not url:
        return None
    needed = (TRAVEL_API_DATASOURCE, TRAVEL_API_USER, TRAVEL_API_CLIENT_ID, TRAVEL_API_SECRET_ID)
    _check_all(read, TRAVEL_API_URL, needed, (TRAVEL_API_SECRET, TRAVEL_API_SECRET_FILE))
    return access


def unit_directory_access(read: SettingsReader) -> UnitDirectoryAccess | None:
    """How to reach the directory of units; None if this worker does not."""
    url = _service_url(read, UNIT_DIRECTORY_URL)
    access = UnitDirectoryAccess(
        url=url,
        user=read.text(UNIT_DIRECTORY_USER),
        password=_secret(read, UNIT_DIRECTORY_PASSWORD, UNIT_DIRECTORY_PASSWORD_FILE),
        list=read.text(UNIT_DIRECTORY_LIST),
        id=read.text(UNIT_DIRECTORY_ID),
        name=read.text(UNIT_DIRECTORY_NAME),
        parent=read.text(UNIT_DIRECTORY_PARENT),
        total=read.text(UNIT_DIRECTORY_TOTAL),
        page=read.text(UNIT_DIRECTORY_PAGE),
        size=read.text(UNIT_DIRECTORY_SIZE),
        first_page=None
        if read.text(UNIT_DIRECTORY_FIRST_PAGE) == NO_PAGES
        else read.whole(UNIT_DIRECTORY_FIRST_PAGE, most=1, least=0),
        timeout_seconds=read.seconds(UNIT_DIRECTORY_TIMEOUT_SECONDS),
    )
    if not url:
        return None
    secrets = (UNIT_DIRECTORY_PASSWORD, UNIT_DIRECTORY_PASSWORD_FILE)
    _check_all(read, UNIT_DIRECTORY_URL, (UNIT_DIRECTORY_USER,), secrets)
    return access


def _service_url(read: SettingsReader, setting: Setting) -> str:
    """The URL of a service; "" if it is not set. Credentials travel in its requests."""
    url = read.text(setting)
    if not url:
        return ""
    if not _is_safe(url):
        # Not shown: whoever puts a password into it would find it in a log.
        read.faults.append(
            f"{setting.variable} must be {setting.form}, without user, password, ? or #"
        )
    return url


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    encrypted = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    return bool(host and encrypted) and not (
        parts.username or parts.password or parts.query or parts.fragment
    )


def _check_all(
    read: SettingsReader,
    because: Setting,
    needed: Sequence[Setting],
    secrets: tuple[Setting, Setting],
) -> None:
    """Faults for what a service needs and nobody gave. Of the secrets, one is needed."""
    read.faults += [
        f"{setting.variable} is missing: {because.variable} needs it"
        for setting in needed
        if not read.text(setting)
    ]
    value, file = (bool(read.text(setting)) for setting in secrets)
    if value == file:
        which = "both are set" if value else f"{because.variable} needs one"
        read.faults.append(f"set {secrets[0].variable} or {secrets[1].variable}: {which}")


def _secret(read: SettingsReader, setting: Setting, of_file: Setting) -> Secret:
    return Secret(setting.variable, read.text(setting), read.path(of_file))
