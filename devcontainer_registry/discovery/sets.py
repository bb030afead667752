# SPDX-License-Identifier: MIT
"""
Reading one set of variables from its sources.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..credentials import RegistrySecret, Secret
from ..errors import DiscoveryError, InvalidRegistryError
from ..naming import variable
from ..registry import Registry, split_image
from .environment import Value
from .members import MEMBERS, clean, fault
from .platforms import GHCR, github_token
from .portals import registry_of
from .remarks import remarks

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..credentials import Finding
    from .environment import Environment, Layer

# An explicit `_KIND` for somebody else's exchange has no use for a GitHub token.
_GHCR_KINDS = (None, "ghcr", "generic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Incomplete:
    """
    A set that cannot be used, and why.

    Attributes:
        id: As in `RegistrySecret`; `SECRETS_FILE` for the secrets file itself.
        registry: Whom it is for, or None where even that could not be read.
        source: The variables that it came from, by name.
        error: Names the variable; its hint says where to set it.
        empty: Every member is set but empty: it is not configured rather than wrong.
        implicit: Nobody asked for it.
        kind: The authenticator that it names, if any.
    """

    id: str
    registry: Registry | None
    source: str
    error: DiscoveryError
    empty: bool = False
    implicit: bool = False
    kind: str | None = field(default=None, repr=False)


def read_set(
    set_id: str, environment: Environment
) -> tuple[RegistrySecret | Incomplete, tuple[Finding, ...]]:
    """
    The set *set_id* from the layer that has it, or the first thing wrong with it; and remarks.
    """
    reader = _SetReader(set_id, environment)
    result = reader.read()
    if reader.registry is None:
        return result, ()
    return result, tuple(remarks(set_id, reader.layer, reader.values))


class _SetReader:
    """
    One set, while it is being read.
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
        The set as a whole, or the first thing that is wrong with it.
        """
        if not _says_anything(self.values):
            error = DiscoveryError(
                f"every variable of {self._name('*')} is empty", hint=self._where("SERVER")
            )
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
            # One member alone is a set that was begun: all that it lacks is named.
            raise self._missing("SERVER", *(missing if len(missing) == 1 else ()))
        name = self._variable("SERVER")
        try:
            registry = Registry(self.texts["SERVER"])
        except InvalidRegistryError as exc:
            msg = f"{name} is {exc.message}"
            raise DiscoveryError(msg, hint=exc.hint, code=exc.code) from exc
        meant = registry_of(registry)
        if meant is not None:
            raise DiscoveryError(
                f"{name} names the web page {registry}, which is not a registry",
                hint=f"set {name} to {meant}",
                code="invalid-server",
            )
        return registry

    def _broken(self) -> DiscoveryError | None:
        for member, value in self.values.items():
            if isinstance(value, DiscoveryError):
                return value
            text = self.texts[member]
            # SERVER has been judged as a whole.
            problem = fault(member, text) if text and member != "SERVER" else None
            if problem is not None:
                code, why = problem
                msg = f"{value.variable} {why}"
                return DiscoveryError(msg, hint=f"correct {value.variable}", code=code)
        return None

    def _image_trouble(self, registry: Registry) -> DiscoveryError | None:
        image, name = self.texts.get("IMAGE"), self._variable("IMAGE")
        if not image:
            return None
        try:
            of = split_image(image)[0]
        except InvalidRegistryError as exc:
            return DiscoveryError(f"{name} is {exc.message}", hint=exc.hint, code=exc.code)
        if of == registry:
            return None
        return DiscoveryError(
            f"{name} is an image of another registry than {self._variable('SERVER')}",
            hint=f"begin {name} with the registry's host, as docker pull does",
            code="invalid-image",
        )

    def _complete(self, registry: Registry) -> RegistrySecret:
        kind, source = self.texts.get("KIND") or None, self.layer.named(self._name("*"))
        username, secret = self.texts.get("USER"), _secret(self.texts.get("PASSWORD"))
        if username is None and secret is None:
            if registry == GHCR and kind in _GHCR_KINDS:
                token = github_token(self.environment, set_id=self.id, implicit=False)
                if not isinstance(token, RegistrySecret):
                    raise self._missing("USER", "PASSWORD", but=", and so is GITHUB_TOKEN")
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
            ca_file=self.texts.get("CA_FILE") or None,
            image=self.texts.get("IMAGE") or None,
        )

    def _missing(self, *members: str, but: str = "") -> DiscoveryError:
        states = {"empty" if member in self.values else "missing" for member in members}
        names = " and ".join(self._variable(member) for member in members)
        verb = "are" if len(members) > 1 else "is"
        msg = f"{names} {verb} {' or '.join(sorted(states))}{but}"
        return DiscoveryError(msg, hint=self._where(*members))

    def _where(self, *members: str) -> str:
        names = " and ".join(self._name(member) for member in members)
        elsewhere = self._elsewhere(members)
        if elsewhere:
            return f"set {names} where {self._name('SERVER')} is, {elsewhere}"
        if self.layer.label == "secrets file":
            return f"set {names} in the secrets file"
        if self.environment.in_codespaces:
            return (
                f"set {names} as a Codespaces secret of your user, this repository or its "
                "organisation, give this repository access to it, then stop and start the codespace"
            )
        return (
            f"set {names} in the secrets or environment of this container; a user, repository "
            "or organisation secret needs to be granted to this repository"
        )

    def _elsewhere(self, members: tuple[str, ...]) -> str:
        # Otherwise a person who sees the variable in the other place would not believe us.
        if "SERVER" in members:
            return ""
        for layer in self.environment.layers:
            values = [layer.value(self._name(member)) for member in members]
            if layer is not self.layer and any(isinstance(v, Value) and v.text for v in values):
                return f"not in the {layer.label or 'environment'}: a set is read from one place"
        return ""

    def _incomplete(self, error: DiscoveryError, *, empty: bool = False) -> Incomplete:
        # A value from here on: its traceback would hold on to frames that hold the secrets.
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
