# SPDX-License-Identifier: MIT
"""
How registries answer, each shape with where it is written down.

"Not documented" means that the shape is ours.  Passwords are made up, in the registry's own style.
"""

from __future__ import annotations

import base64
import json

from doubles.internet import DENIED, JSON, Played, errors, plain

DOCKER_HUB = Played(
    name="Docker Hub",
    server="https://index.docker.io/v1/",
    host="registry-1.docker.io",
    username="ann",
    password="dckr_pat_madeUpForTheTests",
    # With `scope` and `error` as logged: https://github.com/docker-archive/docker-registry/issues/1071
    challenge='Bearer realm="https://auth.docker.io/token",service="registry.docker.io"',
    scoped='Bearer realm="https://auth.docker.io/token",service="registry.docker.io"'
    ',scope="repository:{repository}:pull"',
    realm="https://auth.docker.io/token",
    # Not the usual `errors`:
    # https://github.com/google/go-containerregistry/blob/v0.20.2/pkg/v1/remote/transport/error_test.go
    wrong=(401, JSON, b'{"details":"incorrect username or password"}\n'),
    # That POST does not work, though not how:
    # https://github.com/moby/buildkit/blob/v0.13.0/util/resolver/authorizer.go
    posted=errors(405, "UNSUPPORTED", "method not allowed"),
    granted={
        "token": "{token}",
        "access_token": "{token}",
        "expires_in": 300,
        "issued_at": "2026-01-01T00:00:00.000000000Z",
    },
    denied_challenge='Bearer realm="https://auth.docker.io/token",service="registry.docker.io"'
    ',scope="repository:{repository}:pull",error="insufficient_scope"',
)

GHCR = Played(
    name="ghcr.io",
    server="ghcr.io",
    host="ghcr.io",
    username="ann",
    password="ghp_madeUpForTheTests",
    # The ping names a repository that does not exist; to be replaced, not used:
    # https://github.com/apple/container/issues/183
    challenge='Bearer realm="https://ghcr.io/token",service="ghcr.io"'
    ',scope="repository:user/image:pull"',
    # https://github.com/devcontainers/cli/pull/341
    scoped='Bearer realm="https://ghcr.io/token",service="ghcr.io"'
    ',scope="repository:{repository}:pull"',
    realm="https://ghcr.io/token",
    # 403, not 401: https://github.com/openai/tart/issues/277
    wrong=errors(403, "DENIED", "denied"),
    # https://github.com/sigstore/scaffolding/issues/127
    denied_token=errors(403, "DENIED", "denied"),
    # No challenge once anything is sent: https://github.com/renovatebot/renovate/issues/11446
    basic=errors(403, "DENIED", "invalid token"),
    bad_token=errors(403, "DENIED", "invalid token"),
)

ACR = Played(
    name="ACR",
    server="example.azurecr.io",
    host="example.azurecr.io",
    username="11111111-2222-3333-4444-555555555555",
    password="madeUp~ForTheTests",
    # No scope in the ping: https://github.com/Azure/acr/issues/207
    challenge='Bearer realm="https://example.azurecr.io/oauth2/token",service="example.azurecr.io"',
    # https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md
    scoped='Bearer realm="https://example.azurecr.io/oauth2/token",service="example.azurecr.io"'
    ',scope="repository:{repository}:pull"',
    realm="https://example.azurecr.io/oauth2/token",
    # https://github.com/Azure/acr/issues/841 for the text
    wrong=errors(
        401,
        "UNAUTHORIZED",
        "authentication required, visit https://aka.ms/acr/authorization for more information.",
    ),
    # To a password: https://github.com/containerd/containerd/blob/v1.7.0/remotes/docker/authorizer.go
    posted=errors(400, "UNSUPPORTED", "unsupported grant type"),
    refreshes=True,
    takes_basic=True,  # https://github.com/Azure/acr/issues/466
    # `access_token` only: https://github.com/Azure/acr/blob/main/docs/Token-BasicAuth.md
    granted={"access_token": "{token}"},
    denied_challenge='Bearer realm="https://example.azurecr.io/oauth2/token"'
    ',service="example.azurecr.io",scope="repository:{repository}:pull"'
    ',error="insufficient_scope"',
)

_GOOGLE_KEY = json.dumps({"type": "service_account", "private_key": "madeUp\nForTheTests\n"})

GCR = Played(
    name="Container Registry",
    server="gcr.io",
    host="gcr.io",
    username="_json_key",
    password=_GOOGLE_KEY,
    # https://github.com/containers/image/pull/211
    challenge='Bearer realm="https://gcr.io/v2/token",service="gcr.io"',
    scoped='Bearer realm="https://gcr.io/v2/token",service="gcr.io"'
    ',scope="repository:{repository}:pull"',
    realm="https://gcr.io/v2/token",
    # https://github.com/GoogleCloudPlatform/cloud-sdk-docker/issues/328
    wrong=errors(401, "UNAUTHORIZED", "failed authentication"),
    # https://github.com/containerd/containerd/blob/v1.7.0/remotes/docker/authorizer.go
    posted=plain(404, "404 page not found"),
    # https://github.com/kubernetes-sigs/promo-tools/pull/632
    denied_token=errors(
        401,
        "UNAUTHORIZED",
        "You don't have the needed permissions to perform this operation, and you may have"
        " invalid credentials.",
    ),
)

ARTIFACT_REGISTRY = Played(
    name="Artifact Registry",
    server="us-docker.pkg.dev",
    host="us-docker.pkg.dev",
    username="oauth2accesstoken",
    password="ya29.madeUpForTheTests",
    # No service in the ping, one below a repository: https://github.com/apple/container/issues/2274
    challenge='Bearer realm="https://us-docker.pkg.dev/v2/token"',
    scoped='Bearer realm="https://us-docker.pkg.dev/v2/token",service="us-docker.pkg.dev"'
    ',scope="repository:{repository}:pull"',
    realm="https://us-docker.pkg.dev/v2/token",
    wrong=errors(401, "UNAUTHORIZED", "failed authentication"),  # as GCR: not documented
    posted=plain(404, "404 page not found"),  # as GCR
    # https://github.com/GoogleContainerTools/skaffold/issues/6743
    denied_token=errors(
        403,
        "DENIED",
        'Permission "artifactregistry.repositories.downloadArtifacts" denied on resource'
        ' "projects/team/locations/us/repositories/secret" (or it may not exist)',
    ),
)

GITLAB = Played(
    name="GitLab",
    server="registry.gitlab.com",
    host="registry.gitlab.com",
    username="gitlab+deploy-token-1",
    password="gldt-madeUpForTheTests",
    # https://github.com/deitch/docker_registry2/issues/14
    challenge='Bearer realm="https://gitlab.com/jwt/auth",service="container_registry"',
    scoped='Bearer realm="https://gitlab.com/jwt/auth",service="container_registry"'
    ',scope="repository:{repository}:pull"',
    realm="https://gitlab.com/jwt/auth",
    # https://github.com/basecamp/kamal/issues/1498
    wrong=errors(401, "UNAUTHORIZED", "HTTP Basic: Access denied."),
    # An HTML page: https://github.com/containerd/containerd/issues/12822
    posted=plain(404, "<!DOCTYPE html>\n<html><body>404</body></html>", "text/html"),
    # https://github.com/caprover/caprover-cli/issues/84
    denied_token=errors(403, "DENIED", "access forbidden"),
)

QUAY = Played(
    name="Quay",
    server="quay.io",
    host="quay.io",
    username="team+robot",
    password="MADEUPFORTHETESTS",
    # `get_auth_headers` in auth/registry_jwt_auth.py at
    # https://github.com/quay/quay/tree/2307c0bdae1b89781dca0ef55ef9c6fb293e6d23
    challenge='Bearer realm="https://quay.io/v2/auth",service="quay.io"',
    scoped='Bearer realm="https://quay.io/v2/auth",service="quay.io"'
    ',scope="repository:{repository}:pull"',
    realm="https://quay.io/v2/auth",
    # `InvalidLogin` in endpoints/v2/errors.py at
    # https://github.com/quay/quay/tree/061951021445d239a7cc381f5801fdd127cc52c2
    wrong=errors(401, "UNAUTHORIZED", "Specified credentials are invalid", detail={}),
    # `Unauthorized` there; v2auth.py beside it gives a token without the action.
    nobody=errors(
        401, "UNAUTHORIZED", "access to the requested resource is not authorized", detail={}
    ),
    denied=errors(
        401, "UNAUTHORIZED", "access to the requested resource is not authorized", detail={}
    ),
    denied_challenge='Bearer realm="https://quay.io/v2/auth",service="quay.io"'
    ',scope="repository:{repository}:pull"',
)

HARBOR = Played(
    name="Harbor",
    server="harbor.example.com",
    host="harbor.example.com",
    username="robot$team",
    password="madeUpForTheTests",
    # `getChallenge` in src/server/middleware/v2auth/auth.go at
    # https://github.com/goharbor/harbor/tree/017132611e0d69a19c6e951b66b50949375d2ef6
    challenge='Bearer realm="https://harbor.example.com/service/token",service="harbor-registry"',
    scoped='Bearer realm="https://harbor.example.com/service/token",service="harbor-registry"'
    ',scope="repository:{repository}:pull"',
    realm="https://harbor.example.com/service/token",
    nobody=errors(401, "UNAUTHORIZED", "unauthorized"),
    # No body: src/core/service/token/token.go at
    # https://github.com/goharbor/harbor/tree/074a0a30a9e7ef63d0a65d65ffeb1ac575046191
    wrong=(401, {"Content-Type": "text/plain; charset=utf-8"}, b""),
    # https://github.com/containerd/containerd/pull/8630
    posted=plain(405, "Method Not Allowed"),
    # https://github.com/goharbor/harbor/issues/714
    granted={"token": "{token}", "expires_in": 1800, "issued_at": "2026-01-01T00:00:00Z"},
    # Once anything was sent, `getChallenge` has another one.
    takes_basic=True,
    basic=(401, {**JSON, "Www-Authenticate": 'Basic realm="harbor"'}, b'{"errors":[]}'),
    denied=errors(
        401, "UNAUTHORIZED", "unauthorized to access repository: team/secret, action: pull"
    ),
    denied_challenge='Basic realm="harbor"',
)

DIGITALOCEAN = Played(
    name="DigitalOcean",
    server="registry.digitalocean.com",
    host="registry.digitalocean.com",
    # The token as both: https://github.com/docker/login-action/pull/895
    username="dop_v1_madeUpForTheTests",
    password="dop_v1_madeUpForTheTests",
    # The path: https://github.com/microsoft/vscode-docker/issues/2879
    # The rest from logs that quote the URL asked for, `service` included.
    challenge='Bearer realm="https://api.digitalocean.com/v2/registry/auth"'
    ',service="registry.digitalocean.com"',
    scoped='Bearer realm="https://api.digitalocean.com/v2/registry/auth"'
    ',service="registry.digitalocean.com",scope="repository:{repository}:pull"',
    realm="https://api.digitalocean.com/v2/registry/auth",
    # https://github.com/argoproj-labs/argocd-image-updater/issues/655
    wrong=errors(401, "UNAUTHORIZED", "authentication required"),
)

# A real one is base64 of JSON that tells its end: https://github.com/oras-project/oras-go/issues/1227
_ECR_TOKEN = base64.b64encode(
    json.dumps({"payload": "madeUpForTheTests", "expiration": 4102444800}).encode()
).decode()
_ECR_HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"

ECR = Played(
    name="ECR",
    server=_ECR_HOST,
    host=_ECR_HOST,
    username="AWS",
    password=_ECR_TOKEN,
    # https://github.com/vsoch/oci-python/issues/16
    challenge=f'Basic realm="https://{_ECR_HOST}/",service="ecr.amazonaws.com"',
    # https://github.com/mdlavin/copy-docker-image/issues/5
    nobody=plain(401, "Not Authorized\n"),
    # 400: https://github.com/aws/aws-cli/issues/5317
    wrong=plain(400, "Bad Request\n"),
    # https://github.com/bottlerocket-os/bottlerocket-update-operator/issues/157
    denied=errors(
        403,
        "DENIED",
        "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: ecr:BatchGetImage"
        f" on resource: arn:aws:ecr:eu-west-1:123456789012:repository/{DENIED}",
    ),
)

# To a token that was right once, in place of `wrong`: https://github.com/docker/docker-py/issues/1170
ECR_EXPIRED = plain(403, "Your Authorization Token has expired. Please run 'aws ecr get-login'")

ECR_PUBLIC = Played(
    name="ECR Public",
    server="public.ecr.aws",
    host="public.ecr.aws",
    username="AWS",
    password=_ECR_TOKEN,
    # A scope that is no repository's, everywhere: https://github.com/SgtSilvio/gradle-oci/pull/141
    challenge='Bearer realm="https://public.ecr.aws/token/",service="public.ecr.aws",scope="aws"',
    realm="https://public.ecr.aws/token/",
    nobody=errors(401, "DENIED", "Not Authorized"),
    wrong=errors(400, "DENIED", "Your Authorization Token is invalid."),
    # 400 and no challenge: https://github.com/dependabot/proxy/issues/157
    basic=errors(400, "DENIED", "Your Authorization Token is invalid."),
    # https://github.com/oras-project/oras-go/issues/1227
    bad_token=errors(400, "DENIED", "Your Authorization Token is invalid."),
    denied=errors(404, "NAME_UNKNOWN", "The repository does not exist"),  # not documented
)

ARTIFACTORY = Played(
    name="Artifactory",
    server="docker.example.org",
    host="docker.example.org",
    username="ann",
    password="cmVmdGtuOmadeUpForTheTests",
    # The realm's path: https://github.com/renovatebot/renovate/issues/11765
    # No scope, below a repository either: https://github.com/devcontainers/cli/pull/692
    challenge='Bearer realm="https://docker.example.org/artifactory/api/docker/docker/v2/token"'
    ',service="docker.example.org"',
    realm="https://docker.example.org/artifactory/api/docker/docker/v2/token",
    wrong=errors(401, "UNAUTHORIZED", "Wrong username was used"),  # not documented
    # 401 to every POST, which says nothing of the password:
    # https://github.com/containerd/containerd/blob/v1.7.0/remotes/docker/authorizer.go
    posted=errors(401, "UNAUTHORIZED", "authentication is required"),
)

ALL = (
    DOCKER_HUB,
    GHCR,
    ACR,
    GCR,
    ARTIFACT_REGISTRY,
    GITLAB,
    QUAY,
    HARBOR,
    DIGITALOCEAN,
    ECR,
    ECR_PUBLIC,
    ARTIFACTORY,
)
