# SPDX-License-Identifier: MIT
"""
Ask a registry for the digest of an image with httpx.
"""

import sys
from urllib.request import parse_http_list, parse_keqv_list

import httpx

import devcontainer_registry as registry


def digest(host: str, name: str, tag: str) -> str:
    credential = registry.resolve(f"{host}/{name}:{tag}")
    assert credential is not None, f"run devcontainer-registry login: no login for {host}"
    scheme = "http" if registry.Registry(host).is_loopback else "https"
    url = f"{scheme}://{host}/v2/{name}/manifests/{tag}"
    with httpx.Client() as client:
        kind, _, rest = client.head(url).headers["WWW-Authenticate"].partition(" ")
        if kind.lower() == "basic":
            authorization = credential.authorization()
        else:  # a token server wants the credential, and the registry wants the token
            asked = parse_keqv_list(parse_http_list(rest))
            scope = {"service": asked.get("service", ""), "scope": f"repository:{name}:pull"}
            answer = client.get(asked["realm"], params=scope, auth=credential.basic_auth())
            authorization = "Bearer " + answer.raise_for_status().json()["token"]
        found = client.head(url, headers={"Authorization": authorization})
        return str(found.raise_for_status().headers["Docker-Content-Digest"])


if __name__ == "__main__":
    print(digest(*sys.argv[1:4]))
