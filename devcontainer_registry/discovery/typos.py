# SPDX-License-Identifier: MIT
"""
Misspelled variables, each reported once.

A typo is the error of its set if the set lacks that variable, and a finding otherwise.
"""

from __future__ import annotations

from ..causes import variables as causes
from ..credentials import RegistrySecret
from ..naming import resembles_a_set, variable
from .incomplete import Incomplete
from .members import MEMBERS, set_id

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from ..causes.cause import Cause
    from ..credentials import Finding
    from ..errors import DiscoveryError
    from .environment import Environment
    from .spelling import Typo

_CORE = ("SERVER", "USER", "PASSWORD")

# What a set lacks may stand under another name.
_LACKING = ("missing-member", "not-configured")


def typos_in(
    environment: Environment, names: Iterable[str], *, set_ids: Collection[str]
) -> dict[str, tuple[Typo, ...]]:
    """
    Return the typos among *names* by the id of their set, "" for those without one.

    A name is no typo while its value is empty, or while the right name is set.

    Args:
        environment: Where the values are.
        names: Of all variables.
        set_ids: Ids of the sets of which at least one variable is named rightly.
    """
    odd = sorted(name for name in names if resembles_a_set(name) and not set_id(name))
    if not odd:
        return {}
    from .spelling import typo_of  # most environments have none

    groups: dict[str, dict[str, Typo]] = {}
    for name in odd:
        typo = typo_of(name, set_ids=set_ids)
        if typo is None or not _is_set(environment, name):
            continue
        if typo.set_id and _is_set(environment, variable(typo.set_id, typo.member)):
            continue
        group = groups.setdefault(typo.set_id, {})
        rival = group.get(typo.member)
        if rival is None or rival.is_weak > typo.is_weak:
            group[typo.member] = typo
    return {
        set_id: tuple(group[member] for member in MEMBERS if member in group)
        for set_id, group in groups.items()
        if _counts(group, begun=_is_begun(environment, set_id) if set_id else False)
    }


def with_typos(
    result: RegistrySecret | Incomplete | None, typos: Sequence[Typo], environment: Environment
) -> tuple[RegistrySecret | Incomplete | None, Sequence[Typo]]:
    """
    Return a set with its typos as its error, and the typos left to report.

    Typos are the error where the set lacks what they were meant to be.

    Args:
        result: What was read of the set; None where no variable of it is named rightly.  Then it
            is one only with a misspelled SERVER and one more, not all of them words of other tools.
        typos: Those of this set.
        environment: Where the values are.
    """
    core = [typo for typo in typos if typo.member in _CORE]
    if isinstance(result, Incomplete):
        is_error = bool(core) and result.error.code in _LACKING
    elif result is not None:
        is_error = bool(core)
    else:
        is_sure = len(core) > 1 and core[0].member == "SERVER" and bool(core[0].set_id)
        is_error = is_sure and not all(typo.is_weak for typo in core)
    if not is_error:
        return result, typos
    set_id, name = core[0].set_id, core[0].written
    layer = next(layer for layer in environment.layers if name in layer.names)
    broken = Incomplete(
        id=set_id,
        registry=result.registry if result is not None else None,
        source=result.source if result is not None else layer.named(variable(set_id, "*")),
        error=_error(core, lacking=_lacking(set_id, core, environment)),
        kind=result.kind if result is not None else None,
    )
    return broken, [typo for typo in typos if typo not in core]


def finding_of(typos: Sequence[Typo]) -> Finding:
    """
    Return the one finding about *typos*, which are of one set.
    """
    first = typos[0]
    if not first.set_id:
        example = variable("CORP", first.member) + first.suffix
        return causes.ID_MISSING.finding(
            variable=first.written, name=first.written, example=example
        )
    return _cause(typos).finding(variable=first.written, **_names(typos))


def _counts(group: dict[str, Typo], *, begun: bool) -> bool:
    if begun:
        return True
    typos = group.values()
    if not next(iter(typos)).set_id:
        # CONTAINER_REGISTRY_USERNAME and the like are in the CI of many.
        return "SERVER" in group and not group["SERVER"].is_weak
    return len(group) > 1 or not all(typo.is_weak for typo in typos)


def _is_begun(environment: Environment, set_id: str) -> bool:
    return any(_is_set(environment, variable(set_id, member)) for member in MEMBERS)


def _is_set(environment: Environment, name: str) -> bool:
    return any(
        layer.variables.get(spelling, "").strip()
        for layer in environment.layers
        for spelling in (name, f"{name}_FILE")
    )


def _lacking(set_id: str, typos: Sequence[Typo], environment: Environment) -> list[str]:
    """
    Return the names of the variables to set besides, in the sense of `sets`.
    """
    present = {typo.member for typo in typos}
    present |= {m for m in _CORE if _is_set(environment, variable(set_id, m))}
    lacking = [member for member in _CORE if member not in present]
    # Without both USER and PASSWORD, a set is complete: the platform may have an identity.
    if lacking[-2:] == ["USER", "PASSWORD"]:
        lacking = lacking[:-2]
    return [variable(set_id, member) for member in lacking]


def _error(typos: Sequence[Typo], *, lacking: Sequence[str]) -> DiscoveryError:
    fix = None
    if lacking:
        fix = causes.RENAME_ONE_AND_SET if len(typos) == 1 else causes.RENAME_SEVERAL_AND_SET
    return _cause(typos).with_fix(fix).error(lacking=" and ".join(lacking), **_names(typos))


def _cause(typos: Sequence[Typo]) -> Cause[DiscoveryError]:
    return causes.TYPO if len(typos) == 1 else causes.TYPOS


def _names(typos: Sequence[Typo]) -> dict[str, str]:
    return {
        "names": _listed([typo.written for typo in typos]),
        "meant": _listed([typo.meant for typo in typos]),
    }


def _listed(names: Sequence[str]) -> str:
    """
    Return `A_X, _Y and _Z` for `A_X`, `A_Y` and `A_Z`.
    """
    shared = names[0]
    while shared and not all(name.startswith(f"{shared}_") for name in names[1:]):
        shared = shared.rpartition("_")[0]
    shown = [names[0], *(name[len(shared) :] for name in names[1:])]
    return " and ".join([*filter(None, [", ".join(shown[:-1])]), shown[-1]])
