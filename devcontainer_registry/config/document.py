# SPDX-License-Identifier: MIT
"""
The content of config.json, and docker's rules of lookup.

docker's own reader and rules:
https://github.com/docker/cli/blob/v28.2.2/cli/config/configfile/file.go
https://github.com/docker/cli/blob/v28.2.2/cli/config/credentials/file_store.go
"""

from __future__ import annotations

from ..causes import config as causes
from ..credentials import Credential
from ..errors import InvalidRegistryError
from ..naming import OUR_HELPER
from ..registry import Registry
from .auth_entry import (
    CREDENTIAL_MEMBERS,
    auth_entry,
    credential_of,
    folded,
    is_readable,
    keys_by_host,
)
from .docker_types import MERGED, Mistyped, mistyped
from .json_text import dumps, is_object, loads

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

    from ..errors import DamagedError

_BOM = b"\xef\xbb\xbf"


class Document:
    """
    Content of a config.json, to read and edit.

    Unknown members stay unchanged and in order.

    Attributes:
        had_bom: Whether the file began with a byte order mark, which docker cannot read.
        unwritable: Why it cannot be rewritten without loss, or None.
    """

    def __init__(self) -> None:
        self._content: dict[str, object] = {}
        self._by_host: dict[str, str] | None = None
        self.had_bom = False
        self.unwritable: DamagedError | None = None

    @classmethod
    def parse(cls, raw: bytes, *, where: str) -> Document:
        """
        Parse *raw*, the content of the file *where*; white space alone is an empty document.

        Raises:
            ConfigError: It is damaged.  The message has the line number and no content.
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
        Values that make docker ignore every login in `auths`.
        """
        return mistyped(self._content)

    def dump(self) -> bytes:
        """
        Return the text as docker formats it: tabs, no newline at the end.
        """
        return dumps(self._content)

    @property
    def creds_store(self) -> str | None:
        """
        Helper that docker asks if `credHelpers` names none, or None.
        """
        value = self._content.get(self._member("credsStore"))
        return value if isinstance(value, str) and value else None

    @property
    def holds_secrets(self) -> bool:
        """
        Whether any entry of `auths` holds a login.
        """
        entries = self._map("auths").values()
        return any(CREDENTIAL_MEMBERS & folded(e).keys() for e in entries if is_object(e))

    def asked_for(self, registry: Registry) -> Literal["auths", "credsStore", "credHelpers"]:
        """
        Return the only place where docker looks for *registry*.

        1. `credHelpers`, if it has an entry; an empty one means `auths`.
        2. `credsStore`.
        3. `auths`.
        """
        return self.rule(registry)[0]

    def rule(
        self, registry: Registry
    ) -> tuple[Literal["auths", "credsStore", "credHelpers"], str | None]:
        """
        Return that place and the name of the helper there, or None.
        """
        helper = self.helper(registry)
        if helper is not None:
            return ("credHelpers", helper) if helper else ("auths", None)
        store = self.creds_store
        return ("credsStore", store) if store else ("auths", None)

    def registries(self) -> list[Registry]:
        """
        Registries with an entry in `auths` or `credHelpers`, in order; invalid keys are left out.
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
        Return the raw entry of `auths` that docker would use, or None.

        The exact key wins; else, as docker does for old files, the first key with that host.
        docker picks one at random.
        """
        found = self._found(registry)
        return found if is_object(found) else None

    def reads(self, registry: Registry) -> bool:
        """
        Return whether docker can read that entry, or there is none; see `unreadable`.
        """
        return is_readable(self._found(registry))

    def _found(self, registry: Registry) -> object:
        auths = self._map("auths")
        key = registry.config_key
        if key not in auths:
            # Once: what is saved and removed here has the exact key, which was looked up first.
            if self._by_host is None:
                self._by_host = keys_by_host(auths)
            key = self._by_host.get(key, key)
        return auths.get(key)

    def spelled_otherwise(self, registries: Iterable[Registry]) -> list[tuple[Registry, str, str]]:
        """
        Return keys of `auths` and `credHelpers` that differ from a registry's key only in case.

        docker looks up the exact spelling of the host in the image.

        Returns:
            The registry, the member and the key, in the order of *registries*.
        """
        known: dict[str, list[tuple[str, str]]] = {}
        for member in ("auths", "credHelpers"):
            for key in self._map(member):
                if key != key.lower():
                    known.setdefault(key.lower(), []).append((member, key))
        return [(each, *found) for each in registries for found in known.get(each.config_key, ())]

    def login_keys(self) -> list[str]:
        """
        Return the keys of `auths` with a login, and those of `credHelpers`.
        """
        found = [k for k, e in self._map("auths").items() if is_object(e) and credential_of(e)]
        return list(dict.fromkeys((*found, *self._map("credHelpers"))))

    def unreadable(self) -> list[str]:
        """
        Return keys of `auths` with unreadable entries, which make docker ignore others at random.
        """
        return [key for key, entry in self._map("auths").items() if not is_readable(entry)]

    def auth(self, registry: Registry) -> Credential | None:
        """
        Return the credential that docker finds in `auths`; None if missing or invalid.
        """
        entry = self.entry(registry)
        return credential_of(entry) if entry else None

    def has_login(self, registry: Registry) -> bool:
        """
        Return whether its entry holds a login, even one that `auth` cannot decode.
        """
        entry = self.entry(registry) or {}
        return any(value and name.lower() in CREDENTIAL_MEMBERS for name, value in entry.items())

    def set_auth(self, registry: Registry, credential: Credential) -> None:
        """
        Save *credential* in `auths`, as `docker login` does.

        Other members of the entry stay, and so do other spellings of the host: docker prefers the
        exact key.

        Raises:
            ConfigError: Docker's format cannot hold it (`auth_entry`).
        """
        new = auth_entry(credential)
        auths = self._map("auths", create=True)
        old = auths.get(registry.config_key)
        if not is_object(old):
            auths[registry.config_key] = new
            return
        if credential_of(old) == Credential(username=credential.username, secret=credential.secret):
            members = folded(old).keys() & CREDENTIAL_MEMBERS
            # Use the form that every client reads: docker-py skips an entry without `auth`.
            if members == new.keys():
                return
        kept = {k: v for k, v in old.items() if k.lower() not in CREDENTIAL_MEMBERS}
        auths[registry.config_key] = {**new, **kept}

    def remove_auth(self, registry: Registry) -> None:
        """
        Remove the entry under docker's key; other spellings stay.
        """
        self._map("auths").pop(registry.config_key, None)

    def helper(self, registry: Registry) -> str | None:
        """
        Return the `credHelpers` entry of *registry*; "" means `auths`, None: no entry.
        """
        return self.helpers(registry).get(registry.config_key)

    def helpers(self, registry: Registry) -> dict[str, str]:
        """
        Return its entries in `credHelpers`, under each spelling that a client looks up.
        """
        known = self._map("credHelpers")
        return {k: _text(known[k]) for k in registry.spellings if k in known}

    def other_helper(self, registry: Registry) -> str | None:
        """
        Return another program's helper that a client asks for *registry*, or None.
        """
        names = self.helpers(registry).values()
        return next((name for name in names if name and name != OUR_HELPER), None)

    def is_up_to_store(self, registry: Registry) -> bool:
        """
        Return whether docker asks a `credsStore` for *registry*, or would without a helper of ours.
        """
        # An empty entry excludes the store.
        return self.creds_store is not None and self.helper(registry) != ""

    def set_helper(self, registry: Registry, name: str) -> bool:
        """
        Make every client ask the helper *name*; return whether they do now.

        Returns False and changes nothing if any spelling has another value (rule 8): another
        helper, or `""`, which excludes the credsStore.
        """
        if not name:
            # docker reads "" as no helper; containers/image runs `docker-credential-`.
            raise causes.HELPER_WITHOUT_NAME.error()
        if any(value != name for value in self.helpers(registry).values()):
            return False
        known = self._map("credHelpers", create=True)
        known.update(dict.fromkeys(registry.spellings, name))
        return True

    def remove_helper(self, registry: Registry, name: str) -> None:
        """
        Remove the entries that name the helper *name*.
        """
        known = self._map("credHelpers")
        mine = [key for key, value in self.helpers(registry).items() if value == name]
        for key in mine:
            del known[key]
        if mine and not known:
            # docker also leaves an empty one out.
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
        Return the spelling of the member *name*: Go's decoder ignores case.
        """
        if name in self._content:
            return name
        return next((k for k in self._content if k.lower() == name.lower()), name)


def _merged(content: dict[str, object]) -> dict[str, object]:
    """
    Return *content* with repeated members merged as Go's decoder does, ignoring case.

    Two objects are merged; of other values the last counts.  `null` empties an object and is
    otherwise ignored.
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
    Return why no login can be written to *content* of the file *where*, or None.
    """
    for key, value in content.items():
        if key.lower() in ("auths", "credhelpers") and value is not None and not is_object(value):
            return causes.MEMBER_IS_NO_OBJECT.error(path=where, member=key)
    return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
