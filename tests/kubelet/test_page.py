# SPDX-License-Identifier: MIT
"""
The configurations on the page, by the kubelet's rules, and the program run as they say.

The schemas of kubernetes-validate 1.37 have no CredentialProviderConfig, which is no resource of
the API server.  So these are the members and rules of the documentation and of config.go:
https://kubernetes.io/docs/reference/config-api/kubelet-config.v1/
https://github.com/kubernetes/kubernetes/blob/v1.34.0/pkg/credentialprovider/plugin/config.go
"""

from __future__ import annotations

import json
import os
import re

import kubernetes_validate
import pytest
import yaml
from doubles.kubelet import NAME, PROGRAM, VERSIONS, Node, accepted, lookup, request

from docs import blocks

PAGE = "docs/kubernetes/kubelet.md"
OURS = [block for block in blocks.BLOCKS if block.page == PAGE]
CONFIGURATIONS = [
    yaml.safe_load(block.text) for block in OURS if "CredentialProviderConfig\n" in block.text
]
(SETS,) = [json.loads(block.text) for block in OURS if block.language == "json"]

_PROVIDER = {
    "name": str,
    "matchImages": list,
    "defaultCacheDuration": str,
    "apiVersion": str,
    "args": list,
    "env": list,
    "tokenAttributes": dict,
}
_REQUIRED = {"name", "matchImages", "defaultCacheDuration", "apiVersion"}
_TOKEN = {
    "serviceAccountTokenAudience": str,
    "cacheType": str,
    "requireServiceAccount": bool,
    "requiredServiceAccountAnnotationKeys": list,
    "optionalServiceAccountAnnotationKeys": list,
}
_KEY = re.compile(r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?")


def faults(configuration):
    """
    Yield what keeps a kubelet with *configuration* from starting.
    """
    if configuration.get("apiVersion") != "kubelet.config.k8s.io/v1":
        yield "apiVersion"
    if set(configuration) != {"apiVersion", "kind", "providers"} or not configuration["providers"]:
        yield "members"
    names = [provider.get("name") for provider in configuration.get("providers", ())]
    if len(names) != len(set(names)):
        yield "a name twice"
    for provider in configuration.get("providers", ()):
        yield from _faults_of(provider)


def _faults_of(provider):
    yield from _mistyped(provider, _PROVIDER, _REQUIRED)
    if re.search(r"[/ ]|^\.\.?$", provider["name"]):
        yield "name"
    if provider["apiVersion"] not in VERSIONS:
        yield "apiVersion of a provider"
    if not provider["matchImages"] or any("://" in each for each in provider["matchImages"]):
        yield "matchImages"
    if not re.fullmatch(r"(\d+[hms])+", str(provider["defaultCacheDuration"])):
        yield "defaultCacheDuration"
    if any(set(variable) != {"name", "value"} for variable in provider.get("env", ())):
        yield "env"
    if provider.get("tokenAttributes") is not None:
        yield from _faults_of_tokens(provider, provider["tokenAttributes"])


def _faults_of_tokens(provider, token):
    required = {"serviceAccountTokenAudience", "cacheType", "requireServiceAccount"}
    yield from _mistyped(token, _TOKEN, required)
    if provider["apiVersion"] != VERSIONS[0]:
        yield "tokenAttributes without v1"
    if token.get("cacheType") not in ("ServiceAccount", "Token"):
        yield "cacheType"
    keys = [key for name in list(_TOKEN)[3:] for key in token.get(name, ())]
    if len(keys) != len(set(keys)) or not all(map(_KEY.fullmatch, keys)):
        yield "annotation keys"
    if token.get(list(_TOKEN)[3]) and not token["requireServiceAccount"]:
        yield "requireServiceAccount"


def _mistyped(found, known, required):
    if not required <= set(found) <= set(known):
        yield "members"
    for name, value in found.items():
        if not isinstance(value, known.get(name, object)):
            yield name


def test_a_kubelet_would_start_with_each_configuration():
    assert 2 == len(CONFIGURATIONS)
    assert [[], []] == [list(faults(each)) for each in CONFIGURATIONS]


@pytest.mark.parametrize(
    "change",
    [
        {"name": "a/b"},
        {"apiVersion": "v1"},
        {"matchImages": []},
        {"matchImages": ["https://registry.example"]},
        {"defaultCacheDuration": "-1s"},
        {"defaultCacheDuration": 0},
        {"timeout": "1m"},
        {"env": [{"name": "A"}]},
        {"tokenAttributes": {"serviceAccountTokenAudience": "a", "requireServiceAccount": True}},
    ],
)
def test_a_configuration_with_which_no_kubelet_starts_is_found(change):
    (provider,) = CONFIGURATIONS[0]["providers"]

    assert list(faults({**CONFIGURATIONS[0], "providers": [{**provider, **change}]}))


def test_the_api_server_knows_the_roles_and_no_schema_has_the_configuration():
    (roles,) = [block.text for block in OURS if "kind: ClusterRole\n" in block.text]

    for document in yaml.safe_load_all(roles):
        kubernetes_validate.validate(document, "1.37", strict=True)
    with pytest.raises(kubernetes_validate.SchemaNotFoundError):
        kubernetes_validate.validate(CONFIGURATIONS[0], "1.37", strict=True)


def test_each_name_is_a_file_in_the_bin_folder_that_the_page_installs():
    (script,) = [block.text for block in OURS if "ln -s" in block.text and block.language == "sh"]
    linked = re.findall(
        r"/(devcontainer-registry-\w+)/?$", script.replace(f"{NAME} ", ""), re.MULTILINE
    )
    linked += [NAME] if f"{NAME} /opt/kubelet-credential-providers/\n" in script else []

    assert {p["name"] for each in CONFIGURATIONS for p in each["providers"]} == set(linked)


def test_the_program_runs_as_the_first_configuration_says(tmp_path):
    (provider,) = CONFIGURATIONS[0]["providers"]
    node, path = Node(tmp_path), tmp_path / "registries.json"
    path.write_text(json.dumps(SETS))
    path.chmod(0o600)
    (argument,) = provider["args"]
    argument = argument.replace("/etc/kubernetes/registries.json", str(path))
    environ = {one["name"]: one["value"] for one in provider["env"]}
    assert set(environ) <= {"DEVCONTAINER_REGISTRY_CACHE_DIR"}
    image = f"{provider['matchImages'][0]}/team/app"

    document = accepted(node.ask(request(image), argument))

    assert [("pull", "its-password")] == lookup(document, image)


def test_the_program_is_found_through_a_link_of_another_name(tmp_path):
    node, link = Node(tmp_path), tmp_path / "devcontainer-registry-pods"
    os.symlink(PROGRAM, link)

    assert {} == accepted(node.run(given=request(), program=str(link)))["auth"]
