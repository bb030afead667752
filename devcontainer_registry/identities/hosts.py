# SPDX-License-Identifier: MIT
"""
Host names of the clouds' registries.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ..credentials import RegistrySecret
    from ..registry import Registry

_ACCOUNT = r"[0-9]{12}"

# Regions of the partitions aws and aws-us-gov; the other partitions have suffixes of their own.
_COMMERCIAL = r"(?P<region>(?!cn-)[a-z]{2}-(?:gov-)?[a-z]+-[0-9]{1,2})"
_CHINA = r"(?P<region>cn-[a-z]+-[0-9]{1,2})"


def _iso(prefix: str) -> str:
    return rf"(?P<region>{prefix}-[a-z]+-[0-9]{{1,2}})"


# Existing pairs of name and suffix in every partition, so that only AWS's hosts match; and the host
# of the API that issues passwords for them.
# https://docs.aws.amazon.com/general/latest/gr/ecr.html
# https://github.com/awslabs/amazon-ecr-credential-helper/blob/v0.9.0/ecr-login/api/client.go
# https://github.com/boto/botocore/blob/1.35.0/botocore/data/partitions.json
_ROWS = (
    (r"dkr\.ecr(?P<fips>-fips)?", _COMMERCIAL, "amazonaws.com", "api.ecr.{}.amazonaws.com"),
    (r"dkr-ecr(?P<fips>-fips)?(?P<dual>)", _COMMERCIAL, "on.aws", "ecr.{}.api.aws"),
    (r"dkr\.ecr", _CHINA, "amazonaws.com.cn", "api.ecr.{}.amazonaws.com.cn"),
    (
        r"dkr-ecr(?P<dual>)",
        _CHINA,
        "on.amazonwebservices.com.cn",
        "ecr.{}.api.amazonwebservices.com.cn",
    ),
    (
        r"dkr\.ecr(?P<fips>-fips)?",
        _iso("eusc-[a-z]{2}"),
        "amazonaws.eu",
        "api.ecr.{}.amazonaws.eu",
    ),
    (r"dkr\.ecr", _iso("us-iso"), "c2s.ic.gov", "api.ecr.{}.c2s.ic.gov"),
    (r"dkr\.ecr", _iso("us-isob"), "sc2s.sgov.gov", "api.ecr.{}.sc2s.sgov.gov"),
    (r"dkr\.ecr", _iso("eu-isoe"), "cloud.adc-e.uk", "api.ecr.{}.cloud.adc-e.uk"),
    (r"dkr\.ecr", _iso("us-isof"), "csp.hci.ic.gov", "api.ecr.{}.csp.hci.ic.gov"),
)
_PUBLIC = ("public.ecr.aws", "ecr-public.aws.com")
_PUBLIC_API, _PUBLIC_API_DUAL = "api.ecr-public.{}.amazonaws.com", "ecr-public.{}.api.aws"

# 5 to 50 letters and digits, and in newer registries a hash behind a hyphen.  Data endpoints
# (NAME.REGION.data.azurecr.io) serve blobs and take no login.
# https://learn.microsoft.com/azure/container-registry/container-registry-get-started-portal
_ACR = r"[a-z0-9]{5,50}(?:-[a-z0-9]+)?\.azurecr\.(?:io|cn|us|de)"

# https://cloud.google.com/artifact-registry/docs/docker/authentication
_GOOGLE = (
    r"(?:[a-z]+\.)?gcr\.io"
    r"|[a-z0-9-]+-docker\.pkg\.dev"
    r"|docker\.[a-z0-9-]+\.rep\.pkg\.dev"
)

CLOUDS = ("ecr", "acr", "google")


def cloud_of(secret: RegistrySecret) -> str | None:
    """
    Return the kind of *secret* if it is a cloud's: the one that it names, or that of its host.
    """
    if secret.kind is not None:
        return secret.kind if secret.kind in CLOUDS else None
    registry = secret.registry.without_default_port
    serving = (is_ecr, is_acr, is_google)
    return next((k for k, serves in zip(CLOUDS, serving, strict=True) if serves(registry)), None)


def is_ecr(registry: Registry) -> bool:
    """
    Return whether *registry* is a private registry of ECR, or ECR Public.
    """
    return is_ecr_public(registry) or ecr_host(registry) is not None


def is_ecr_public(registry: Registry) -> bool:
    """
    Return whether *registry* is ECR Public, a separate service.
    """
    return registry in _PUBLIC


def ecr_host(registry: str) -> re.Match[str] | None:
    """
    Return the parts of the host name of a private registry of ECR; None for other names.

    The groups are `region`, and where the pattern has them `fips` and `dual`.
    """
    if ".dkr" not in registry:
        return None  # and no pattern need be compiled
    for name, region, suffix, _ in _ROWS:
        pattern = rf"{_ACCOUNT}\.{name}\.{region}\.{re.escape(suffix)}"
        if (found := re.fullmatch(pattern, registry)) is not None:
            return found
    return None


def ecr_api(region: str, *, public: bool, dual: bool) -> str | None:
    """
    Return the host of the API that issues ECR's passwords; None if *region* is unknown here.

    Not that of validated cryptography (FIPS), whose name has changed: AWS's SDK knows it.
    """
    if public:
        return (_PUBLIC_API_DUAL if dual else _PUBLIC_API).format(region)
    for name, region_pattern, _, api in _ROWS:
        if dual == ("(?P<dual>" in name) and re.fullmatch(region_pattern, region):
            return api.format(region)
    return None


def is_acr(registry: Registry) -> bool:
    """
    Return whether *registry* is `NAME.azurecr.io` or in a sovereign cloud's domain.
    """
    return ".azurecr." in registry and re.fullmatch(_ACR, registry) is not None


def is_google(registry: Registry) -> bool:
    """
    Return whether *registry* is `gcr.io`, one of its mirrors, or Artifact Registry.
    """
    is_like = registry.endswith(("gcr.io", ".pkg.dev"))
    return is_like and re.fullmatch(_GOOGLE, registry) is not None
