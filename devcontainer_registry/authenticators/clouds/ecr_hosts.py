# SPDX-License-Identifier: MIT
"""
The AWS endpoint for each host name of ECR.
"""

from __future__ import annotations

from ...causes.clouds.aws import REGION_MISSING
from ...identities.hosts import ecr_host, is_ecr_public
from ...naming import variable
from .aws_names import Endpoint

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ...credentials import RegistrySecret

_PUBLIC_REGION = "us-east-1"  # the only one that answers


def endpoint_of(secret: RegistrySecret) -> Endpoint:
    """
    Return the endpoint that issues passwords for the registry of *secret*.

    Raises:
        DiscoveryError: The region is in neither the host nor the set.
    """
    if is_ecr_public(secret.registry):
        return Endpoint(
            region=_PUBLIC_REGION, public=True, dual=secret.registry == "ecr-public.aws.com"
        )
    found = ecr_host(secret.registry)
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
