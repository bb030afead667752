# SPDX-License-Identifier: MIT
"""
One set of variables, read from its sources.
"""

from __future__ import annotations

from ..causes import variables as causes
from ..causes.clouds.identities import NOT_TAKEN
from ..credentials import RegistrySecret, Secret
from ..errors import DiscoveryError, InvalidRegistryError
from ..naming import variable
from ..observer import is_observed, tell
from ..registry import Registry, split_image
from .environment import Value
from .incomplete import Incomplete
from .members import MEMBERS, clean, fault
from .platforms import GHCR, github_token
from .portals import registry_of
from .remarks import remarks

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..causes.cause import Cause
    from ..credentials import Finding
    from .environment import Environment, Layer

# Other kinds cannot use a GitHub token.
_GHCR_KINDS = (None, "ghcr", "generic")

# With what a variable's name may end: its value, or the path of a file that holds it.
_FORMS = ("", "_FILE")

_INVALID = {"USER": causes.USER_INVALID, "PASSWORD": causes.PASSWORD_INVALID}


def read_set(
    set_id: str, environment: Environment
) -> tuple[RegistrySecret | Incomplete, tuple[Finding, ...]]:
    """
    Read the set *set_id* from its layer; return it or its first fault, and remarks.
    """
    reader = _SetReader(set_id, environment)
    result = reader.read()
    if is_observed():
        _tell_of(reader)
    if reader.registry is None:
        return result, ()
    return result, tuple(remarks(set_id, reader.layer, reader.values))


def _tell_of(reader: _SetReader) -> None:
    """
    Tell where each variable of a set stands, and why it is used or not; never its value.
    """
    used = reader.layer.label or "environment"
    for layer in reader.environment.layers:
        where = layer.label or "environment"
        for member, name in ((m, variable(reader.id, m) + f) for m in MEMBERS for f in _FORMS):
            if name not in layer.names:
                continue
            value = reader.values.get(member)
            if layer is not reader.layer:
                why = "layer"
            elif name in layer.variables and not layer.variables[name].strip():
                why = "empty"
            elif isinstance(value, Value) and value.variable != name:
                why = "form"
            else:
                tell("variable.used", id=reader.id, name=name, layer=where)
                continue
            tell("variable.ignored", id=reader.id, name=name, layer=where, why=why, used=used)


class _SetReader:
    """
    Reader of one set.
    """

    def __init__(self, set_id: str, environment: Environment) -> None:
        self.id = set_id
        self.environment = environment
        self.layer, self.values = self._choose()
        self.texts = {
            member: clean(member, value.text, from_file=value.from_file)
            for member, value in self.values.items()
            if isinstance(value, Value)
        }
        self.registry: Registry | None = None

    def read(self) -> RegistrySecret | Incomplete:
        """
        Return the set, or its first fault.
        """
        if not _says_anything(self.values):
            error = self._stated(causes.ALL_EMPTY, "SERVER", members=self._name("*"))
            return self._incomplete(error, empty=True)
        try:
            self.registry = self._registry()
            problem = self._broken() or self._image_trouble(self.registry)
            if problem is not None:
                raise problem
            return self._complete(self.registry)
        except DiscoveryError as exc:
            return self._incomplete(exc)

    def _choose(self) -> tuple[Layer, Mapping[str, Value | DiscoveryError]]:
        candidates = []
        for layer in self.environment.layers:
            values = {
                member: value
                for member in MEMBERS
                if (value := layer.value(self._name(member))) is not None
            }
            if values:
                candidates.append((layer, values))
        for layer, values in candidates:
            if _says_anything({"SERVER": values["SERVER"]} if "SERVER" in values else {}):
                return layer, values
        return next((found for found in candidates if _says_anything(found[1])), candidates[0])

    def _registry(self) -> Registry:
        server = self.values.get("SERVER")
        if isinstance(server, DiscoveryError):
            raise server
        if not self.texts.get("SERVER"):
            missing = [m for m in ("USER", "PASSWORD") if not self.texts.get(m)]
            # With one member only, name all that are missing.
            raise self._missing("SERVER", *(missing if len(missing) == 1 else ()))
        name = self._variable("SERVER")
        try:
            registry = Registry(self.texts["SERVER"])
        except InvalidRegistryError as exc:
            raise causes.SERVER_INVALID.error(server=name) from exc
        meant = registry_of(registry)
        if meant is not None:
            raise causes.SERVER_IS_WEB_PAGE.error(server=name, host=registry, meant=meant)
        return registry

    def _broken(self) -> DiscoveryError | None:
        for member, value in self.values.items():
            if isinstance(value, DiscoveryError):
                return value
            text = self.texts[member]
            # SERVER was checked before.
            problem = fault(member, text) if text and member != "SERVER" else None
            if problem is not None:
                cause = _INVALID.get(member, causes.MEMBER_INVALID)
                name = value.variable
                return cause.error(user=name, password=name, member=name, fault=problem.say())
        return None

    def _image_trouble(self, registry: Registry) -> DiscoveryError | None:
        image, name = self.texts.get("IMAGE"), self._variable("IMAGE")
        if not image:
            return None
        try:
            of = split_image(image)[0]
        except InvalidRegistryError as exc:
            error = causes.IMAGE_INVALID.error(image=name, why=exc.message)
            error.code, error.hint = exc.code, exc.hint
            return error
        if of == registry:
            return None
        return causes.IMAGE_OF_ANOTHER_REGISTRY.error(image=name, server=self._variable("SERVER"))

    def _complete(self, registry: Registry) -> RegistrySecret:
        kind, source = self.texts.get("KIND") or None, self.layer.named(self._name("*"))
        username, secret = self.texts.get("USER"), _secret(self.texts.get("PASSWORD"))
        if username is None and secret is None:
            if registry == GHCR and kind in _GHCR_KINDS:
                token = github_token(self.environment, set_id=self.id, implicit=False)
                if not isinstance(token, RegistrySecret) and self.texts.get("ID_TOKEN"):
                    raise NOT_TAKEN.error(host=registry, one=self._variable("ID_TOKEN"))
                if not isinstance(token, RegistrySecret):
                    raise self._stated(causes.TOKEN_MISSING_TOO, "USER", "PASSWORD")
                username, secret, source = token.username, token.secret, token.source
        elif not username or not secret:
            raise self._missing(*(m for m in ("USER", "PASSWORD") if not self.texts.get(m)))
        return RegistrySecret(
            id=self.id,
            registry=registry,
            source=source,
            username=username,
            secret=secret,
            kind=kind,
            region=self.texts.get("REGION") or None,
            session_token=_secret(self.texts.get("SESSION_TOKEN") or None),
            role_arn=self.texts.get("ROLE_ARN") or None,
            profile=self.texts.get("PROFILE") or None,
            tenant=self.texts.get("TENANT") or None,
            client_id=self.texts.get("CLIENT_ID") or None,
            audience=self.texts.get("AUDIENCE") or None,
            id_token=_secret(self.texts.get("ID_TOKEN") or None),
            ca_file=self.texts.get("CA_FILE") or None,
            image=self.texts.get("IMAGE") or None,
        )

    def _missing(self, *members: str) -> DiscoveryError:
        states = {member in self.values for member in members}
        if len(members) == 1:
            cause = causes.ONE_EMPTY if True in states else causes.ONE_MISSING
        elif len(states) == 1:
            cause = causes.SEVERAL_EMPTY if True in states else causes.SEVERAL_MISSING
        else:
            cause = causes.SEVERAL_EMPTY_OR_MISSING
        return self._stated(cause, *members)

    def _stated(self, cause: Cause[DiscoveryError], *members: str, **facts: str) -> DiscoveryError:
        """
        Return the error for *cause* about *members*, with the fix for their source.
        """
        layer, fix = self._elsewhere(members), None
        if layer is not None:
            fix = causes.WHERE_SERVER_IS
        elif self.layer.label == "secrets file":
            fix = causes.IN_SECRETS_FILE
        elif self.environment.in_codespaces:
            fix = causes.IN_CODESPACES
        variables = " and ".join(map(self._variable, members))
        return cause.with_fix(fix).error(
            variable=variables,
            variables=variables,
            names=" and ".join(map(self._name, members)),
            server=self._name("SERVER"),
            layer=layer,
            **facts,
        )

    def _elsewhere(self, members: tuple[str, ...]) -> str | None:
        # The user may see the variable in another source.
        if "SERVER" in members:
            return None
        for layer in self.environment.layers:
            values = [layer.value(self._name(member)) for member in members]
            if layer is not self.layer and any(isinstance(v, Value) and v.text for v in values):
                return layer.label or "environment"
        return None

    def _incomplete(self, error: DiscoveryError, *, empty: bool = False) -> Incomplete:
        # The traceback refers to frames with secrets, so drop it.
        error.__traceback__ = error.__cause__ = error.__context__ = None
        kind = self.texts.get("KIND")
        return Incomplete(
            id=self.id,
            registry=self.registry,
            source=self.layer.named(self._name("*")),
            error=error,
            empty=empty,
            kind=kind if kind and not fault("KIND", kind) else None,
        )

    def _variable(self, member: str) -> str:
        value = self.values.get(member)
        return value.variable if isinstance(value, Value) else self._name(member)

    def _name(self, member: str) -> str:
        return variable(self.id, member)


def _says_anything(values: Mapping[str, Value | DiscoveryError]) -> bool:
    return any(
        isinstance(value, DiscoveryError)
        or clean(member, value.text, from_file=value.from_file) != ""
        for member, value in values.items()
    )


def _secret(text: str | None) -> Secret | None:
    return None if text is None else Secret(text)
