# SPDX-License-Identifier: MIT
"""
Host names of ECR, and the AWS endpoint for each.
"""

from __future__ import annotations

import re

from ...causes.clouds.aws import REGION_MISSING
from ...naming import variable
from .aws_names import Endpoint

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ...credentials import RegistrySecret
    from ...registry import Registry

_ACCOUNT = r"[0-9]{12}"

# Regions of the partitions aws and aws-us-gov; the other partitions have suffixes of their own.
_COMMERCIAL = r"(?P<region>(?!cn-)[a-z]{2}-(?:gov-)?[a-z]+-[0-9]{1,2})"
_CHINA = r"(?P<region>cn-[a-z]+-[0-9]{1,2})"


def _iso(prefix: str) -> str:
    return rf"(?P<region>{prefix}-[a-z]+-[0-9]{{1,2}})"


# Existing pairs of name and suffix in every partition, so that only AWS's hosts match.
# https://docs.aws.amazon.com/general/latest/gr/ecr.html
# https://github.com/awslabs/amazon-ecr-credential-helper/blob/v0.9.0/ecr-login/api/client.go
# https://github.com/boto/botocore/blob/1.35.0/botocore/data/partitions.json
_HOSTS = tuple(
    re.compile(rf"{_ACCOUNT}\.{name}\.{region}\.{re.escape(suffix)}")
    for name, region, suffix in (
        (r"dkr\.ecr(?P<fips>-fips)?", _COMMERCIAL, "amazonaws.com"),
        (r"dkr-ecr(?P<fips>-fips)?(?P<dual>)", _COMMERCIAL, "on.aws"),
        (r"dkr\.ecr", _CHINA, "amazonaws.com.cn"),
        (r"dkr-ecr(?P<dual>)", _CHINA, "on.amazonwebservices.com.cn"),
        (r"dkr\.ecr(?P<fips>-fips)?", _iso("eusc-[a-z]{2}"), "amazonaws.eu"),
        (r"dkr\.ecr", _iso("us-iso"), "c2s.ic.gov"),
        (r"dkr\.ecr", _iso("us-isob"), "sc2s.sgov.gov"),
        (r"dkr\.ecr", _iso("eu-isoe"), "cloud.adc-e.uk"),
        (r"dkr\.ecr", _iso("us-isof"), "csp.hci.ic.gov"),
    )
)
_PUBLIC = ("public.ecr.aws", "ecr-public.aws.com")
_PUBLIC_REGION = "us-east-1"  # the only one that answers


def serves(registry: Registry) -> bool:
    """
    Return whether *registry* is a private registry of ECR, or ECR Public.
    """
    return is_public(registry) or _host(registry) is not None


def is_public(registry: Registry) -> bool:
    """
    Return whether *registry* is ECR Public, a separate service.
    """
    return registry in _PUBLIC


def endpoint_of(secret: RegistrySecret) -> Endpoint:
    """
    Return the endpoint that issues passwords for the registry of *secret*.

    Raises:
        DiscoveryError: The region is in neither the host nor the set.
    """
    if is_public(secret.registry):
        return Endpoint(
            region=_PUBLIC_REGION, public=True, dual=secret.registry == "ecr-public.aws.com"
        )
    found = _host(secret.registry)
    if found is not None:
        # The host's region wins over _REGION: a token is valid in its region only.
        parts = found.groupdict()
        return Endpoint(
            region=found["region"],
            fips=parts.get("fips") is not None,
            dual=parts.get("dual") is not None,
        )
    if secret.region is None:
        region = variable(secret.id, "REGION")
        raise REGION_MISSING.error(host=secret.registry, region=region)
    return Endpoint(region=secret.region.lower())


def _host(registry: str) -> re.Match[str] | None:
    for pattern in _HOSTS:
        if (found := pattern.fullmatch(registry)) is not None:
            return found
    return None
