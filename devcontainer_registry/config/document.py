# SPDX-License-Identifier: MIT
"""
The content of config.json, and docker's rules of lookup.

docker's own reader and rules:
https://github.com/docker/cli/blob/v28.2.2/cli/config/configfile/file.go
https://github.com/docker/cli/blob/v28.2.2/cli/config/credentials/file_store.go
"""

from __future__ import annotations

import re

from ..causes import config as causes
from ..credentials import Credential
from ..errors import InvalidRegistryError
from ..naming import OUR_HELPER
from ..registry import Registry
from .auth_entry import CREDENTIAL_MEMBERS, auth_entry, credential_of, folded, is_readable
from .docker_types import MERGED, Mistyped, mistyped
from .json_text import dumps, is_object, loads

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Literal

    from ..errors import DamagedError

_BOM = b"\xef\xbb\xbf"

_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]*")


class Document:
    """
    config.json's content while it is read or edited.

    Members that we know nothing of stay as they are, their order included.

    Attributes:
        had_bom: Whether the text began with a byte order mark, which docker cannot read.
        unwritable: Why it cannot be written again without a loss, or None.
    """

    def __init__(self) -> None:
        self._content: dict[str, object] = {}
        self.had_bom = False
        self.unwritable: DamagedError | None = None

    @classmethod
    def parse(cls, raw: bytes, *, where: str) -> Document:
        """
        Read *raw*, the content of the file *where*; nothing but white space is an empty document.

        Raises:
            ConfigError: It is damaged.  The message has the line and quotes nothing.
        """
        document = cls()
        document.had_bom = raw.startswith(_BOM)
        text = raw.removeprefix(_BOM)
        if text.strip(b" \t\r\n"):
            content, fault = loads(text, where=where)
            if content is not None and not is_object(content):
                raise causes.NO_OBJECT.error(path=where)
            document._content = _merged(content or {})
            document.unwritable = fault or _no_place(document._content, where)
        return document

    @property
    def mistyped(self) -> list[Mistyped]:
        """
        The values over which docker drops every login in `auths`.
        """
        return mistyped(self._content)

    def dump(self) -> bytes:
        """
        The text as docker lays it out: tabs, no newline at the end.
        """
        return dumps(self._content)

    @property
    def creds_store(self) -> str | None:
        """
        The helper that docker asks where `credHelpers` names none, or None.
        """
        value = self._content.get(self._member("credsStore"))
        return value if isinstance(value, str) and value else None

    @property
    def holds_secrets(self) -> bool:
        """
        Whether any entry of `auths` says how to log in.
        """
        entries = self._map("auths").values()
        return any(CREDENTIAL_MEMBERS & folded(e).keys() for e in entries if is_object(e))

    def asked_for(self, registry: Registry) -> Literal["auths", "credsStore", "credHelpers"]:
        """
        Where docker looks for *registry*: there, and nowhere else.

        1. Its `credHelpers` entry; an empty one means `auths`.
        2. `credsStore`.
        3. `auths`.
        """
        return self.rule(registry)[0]

    def rule(
        self, registry: Registry
    ) -> tuple[Literal["auths", "credsStore", "credHelpers"], str | None]:
        """
        The same, and the name of the helper that it asks there, or None.
        """
        helper = self.helper(registry)
        if helper is not None:
            return ("credHelpers", helper) if helper else ("auths", None)
        store = self.creds_store
        return ("credsStore", store) if store else ("auths", None)

    def registries(self) -> list[Registry]:
        """
        Whom `auths` and `credHelpers` have entries for, in their order; other keys are left out.
        """
        found: dict[Registry, None] = {}
        for key in (*self._map("auths"), *self._map("credHelpers")):
            try:
                found[Registry(key)] = None
            except InvalidRegistryError:  # noqa: PERF203  (docker takes any text for a key)
                continue
        return list(found)

    def entry(self, registry: Registry) -> dict[str, object] | None:
        """
        The entry of `auths` that docker would use, as it stands, or None.

        The exact key; else, as docker does for files of old versions, the first whose host it is.
        docker takes any of these, by chance.
        """
        found = self._found(registry)
        return found if is_object(found) else None

    def reads(self, registry: Registry) -> bool:
        """
        Whether docker can read that entry, or there is none; see `unreadable`.
        """
        return is_readable(self._found(registry))

    def _found(self, registry: Registry) -> object:
        auths = self._map("auths")
        key = registry.config_key
        if key not in auths:
            key = next((k for k in auths if _host_of(k) == key), key)
        return auths.get(key)

    def spelled_otherwise(self, registry: Registry) -> list[tuple[str, str]]:
        """
        Keys of `auths` and `credHelpers` that differ from its own in upper case only.

        docker looks an image up under the exact spelling of its host.

        Returns:
            Pairs of the member and the key.
        """
        return [
            (member, key)
            for member in ("auths", "credHelpers")
            for key in self._map(member)
            if key != registry.config_key == key.lower()
        ]

    def login_keys(self) -> list[str]:
        """
        The keys of `auths` that say how to log in, and those of `credHelpers`.
        """
        found = [k for k, e in self._map("auths").items() if is_object(e) and credential_of(e)]
        return list(dict.fromkeys((*found, *self._map("credHelpers"))))

    def unreadable(self) -> list[str]:
        """
        The keys of `auths` whose entries docker can't read; then it drops others, by chance.
        """
        return [key for key, entry in self._map("auths").items() if not is_readable(entry)]

    def auth(self, registry: Registry) -> Credential | None:
        """
        What docker would find in `auths`; None: nothing, or nothing that can be decoded.
        """
        entry = self.entry(registry)
        return credential_of(entry) if entry else None

    def has_login(self, registry: Registry) -> bool:
        """
        Whether its entry says how to log in, be it in a way that `auth` makes nothing of.
        """
        entry = self.entry(registry) or {}
        return any(value and name.lower() in CREDENTIAL_MEMBERS for name, value in entry.items())

    def set_auth(self, registry: Registry, credential: Credential) -> None:
        """
        Keep *credential* in `auths`, as `docker login` would.

        The entry's other members stay, and so do other spellings of the host: docker looks for
        the exact key first.

        Raises:
            ConfigError: docker's format cannot carry it (`auth_entry`).
        """
        new = auth_entry(credential)
        auths = self._map("auths", create=True)
        old = auths.get(registry.config_key)
        if not is_object(old):
            auths[registry.config_key] = new
            return
        if credential_of(old) == Credential(username=credential.username, secret=credential.secret):
            members = folded(old).keys() & CREDENTIAL_MEMBERS
            # Only in the form that every client reads: docker-py skips an entry without `auth`.
            if members == new.keys():
                return
        kept = {k: v for k, v in old.items() if k.lower() not in CREDENTIAL_MEMBERS}
        auths[registry.config_key] = {**new, **kept}

    def remove_auth(self, registry: Registry) -> None:
        """
        Remove the entry under docker's key, and no other spelling of it.
        """
        self._map("auths").pop(registry.config_key, None)

    def helper(self, registry: Registry) -> str | None:
        """
        The helper of its own that docker asks for *registry*; "": none but `auths`; None: no entry.
        """
        return self.helpers(registry).get(registry.config_key)

    def helpers(self, registry: Registry) -> dict[str, str]:
        """
        Its entries in `credHelpers`, under each spelling that some client looks up.
        """
        known = self._map("credHelpers")
        return {k: _text(known[k]) for k in registry.spellings if k in known}

    def other_helper(self, registry: Registry) -> str | None:
        """
        The helper, not ours, that some client asks for *registry*, or None.
        """
        names = self.helpers(registry).values()
        return next((name for name in names if name and name != OUR_HELPER), None)

    def is_up_to_store(self, registry: Registry) -> bool:
        """
        Whether docker asks a `credsStore` for *registry*, or would if it were not for a helper.
        """
        # An empty entry says: not the store.
        return self.creds_store is not None and self.helper(registry) != ""

    def set_helper(self, registry: Registry, name: str) -> bool:
        """
        Have every client ask the helper *name*; whether they do now.

        False, and nothing changed, where any spelling has another value: rule 8, we never evict
        somebody else's helper, nor their `""`, which is how one says "not my credsStore".
        """
        if not name:
            # docker takes "" for "no helper", containers/image runs `docker-credential-`.
            raise causes.HELPER_WITHOUT_NAME.error()
        if any(value != name for value in self.helpers(registry).values()):
            return False
        known = self._map("credHelpers", create=True)
        known.update(dict.fromkeys(registry.spellings, name))
        return True

    def remove_helper(self, registry: Registry, name: str) -> None:
        """
        Remove the entries that name the helper *name*, and no others.
        """
        known = self._map("credHelpers")
        mine = [key for key, value in self.helpers(registry).items() if value == name]
        for key in mine:
            del known[key]
        if mine and not known:
            # docker leaves an empty one out, too.
            del self._content[self._member("credHelpers")]

    def _map(self, name: str, *, create: bool = False) -> dict[str, object]:
        member = self._member(name)
        found = self._content.get(member)
        if not is_object(found):  # absent or null
            found = {}
            if create:
                self._content[member] = found
        return found

    def _member(self, name: str) -> str:
        """
        The spelling of the member *name*: Go's decoder does not mind upper and lower case.
        """
        if name in self._content:
            return name
        return next((k for k in self._content if k.lower() == name.lower()), name)


def _host_of(key: str) -> str:
    """
    The host that docker sees in *key*: a URL's, of any scheme; else what is before the first slash.

    As Go's parser has it, a URL's user and query are left out, and so are the brackets of an IPv6
    address where there is no port.
    https://github.com/docker/cli/blob/v28.2.2/cli/config/credentials/file_store.go
    (ConvertToHostname)
    """
    scheme, separator, rest = key.partition("://")
    if not separator or not _SCHEME.fullmatch(scheme):
        return key.partition("/")[0]
    authority = re.split("[/?#]", rest, maxsplit=1)[0].rpartition("@")[2].removesuffix(":")
    return authority[1:-1] if authority.endswith("]") else authority


def _merged(content: dict[str, object]) -> dict[str, object]:
    """
    *content* as Go's decoder sees it where a member comes twice, in any case.

    Two objects of one member become one; of anything else the last counts, and `null` says
    nothing but to an object, which it empties.
    """
    pairs = getattr(content, "pairs", None) or list(content.items())
    merged: dict[str, object] = {}
    spelled: dict[str, str] = {}
    for key, value in pairs:
        name = spelled.setdefault(key.lower(), key)
        old = merged.get(name)
        if key.lower() in MERGED and is_object(old) and is_object(value):
            merged[name] = {**old, **value}
        elif value is not None or key.lower() in MERGED or name not in merged:
            merged[name] = value
    return merged


def _no_place(content: dict[str, object], where: str) -> DamagedError | None:
    """
    Why no login can be written into *content*, that of the file *where*, or None.
    """
    for key, value in content.items():
        if key.lower() in ("auths", "credhelpers") and value is not None and not is_object(value):
            return causes.MEMBER_IS_NO_OBJECT.error(path=where, member=key)
    return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
