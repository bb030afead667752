# SPDX-License-Identifier: MIT
"""
What ARCHITECTURE.md promises: floors, homes of dear dependencies, public names, what ships.
"""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
import zipfile

import pytest
from fakes import Home, a_set
from faults import Fine

import devcontainer_registry

PACKAGE = os.path.dirname(devcontainer_registry.__file__)
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Milliseconds each, tens or hundreds; a helper that is asked at every pull has thirty in all.
DEAR = (
    "argparse",
    "asyncio",
    "azure",
    "boto3",
    "botocore",
    "concurrent.futures",
    "dataclasses",
    "docker",
    "email",
    "google.auth",
    "hashlib",
    "http.client",
    "importlib.metadata",
    "inspect",
    "logging",
    "pathlib",
    "re",
    "requests",
    "socket",
    "ssl",
    "structlog",
    "subprocess",
    "tempfile",
    "tenacity",
    "threading",
    "typing",
    "urllib",
    "urllib3",
)

# Who may name it, and whether only inside a function.
HOMES = {
    "azure": (
        r"authenticators/_?acr\w*|authenticators/_\w*azure\w*|authenticators/_entra\w*",
        True,
    ),
    "boto3": (r"authenticators/(ecr|_aws\w*|_ecr\w*)", True),
    "botocore": (r"authenticators/(ecr|_aws\w*|_ecr\w*)", True),
    "docker": (r"doctor|_doctor\w*", True),
    "google": (r"authenticators/_?google\w*", True),
    "importlib.metadata": (r"authenticators/__init__|__init__", True),
    "structlog": (r"_log", True),
    "tenacity": (r"_ask", True),
    "urllib3": (r"transport|trust|proxies|deadline|failures|urls", False),
}

# What a floor 0 module may import besides floor 0.
CHEAP = {
    "_json",
    "base64",
    "binascii",
    "errno",
    "fcntl",
    "json",
    "json.encoder",
    "os",
    "stat",
    "sys",
    "time",
}


class Imports:
    """
    What a module imports when it is run: at the top, and inside functions.
    """

    def __init__(self, name):
        self.name = name
        self.top, self.inside = set(), set()
        with open(os.path.join(PACKAGE, f"{name}.py"), encoding="utf-8") as file:
            self._walk(ast.parse(file.read()), self.top)

    def _walk(self, node, found):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and _is_type_checking(child.test):
                for other in child.orelse:
                    self._walk(ast.Module([other], []), found)
            elif isinstance(child, ast.Import):
                found.update(alias.name for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                found.update(self._absolute(child))
            else:
                function = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
                self._walk(child, self.inside if function else found)

    def _absolute(self, node):
        if not node.level:
            # `from importlib import metadata` names the same module.
            return {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        package = ["devcontainer_registry", *self.name.split("/")[:-1]]
        package = package[: len(package) - node.level + 1]
        if node.module:
            return {".".join([*package, node.module])}
        return {".".join([*package, alias.name]) for alias in node.names}

    def ours(self, found):
        """
        The modules of this package in *found*, as paths.
        """
        names = set()
        for name in found:
            first, _, rest = name.partition(".")
            path = rest.replace(".", "/")
            if first == "devcontainer_registry" and path in MODULES:
                names.add(path)
            elif first == "devcontainer_registry" and f"{path}/__init__" in MODULES:
                names.add(f"{path}/__init__")
        return names


def _is_type_checking(test):
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def _modules():
    for folder, _, files in os.walk(PACKAGE):
        for file in files:
            if file.endswith(".py"):
                yield os.path.relpath(os.path.join(folder, file), PACKAGE).removesuffix(".py")


MODULES = frozenset(_modules())


def _floor(number):
    """
    The modules that ARCHITECTURE.md puts on floor *number*.
    """
    with open(os.path.join(ROOT, "ARCHITECTURE.md"), encoding="utf-8") as file:
        text = file.read()
    section = re.split(r"^##", text.partition(f"### Floor {number}")[2], flags=re.MULTILINE)[0]
    if number == 1:
        section = "\n".join(row.split("|")[1] for row in section.splitlines() if "|" in row)
    names = set(re.findall(r"`(\w+)`", section))
    return {name for name in names if name in MODULES} | {
        f"{name}/__init__" for name in names if f"{name}/__init__" in MODULES
    }


# Floors and homes.


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_dear_dependency_is_named_in_its_home_only(name):
    imports = Imports(name)

    for dependency, (homes, inside_only) in HOMES.items():
        for where, found in (("top", imports.top), ("inside", imports.inside)):
            if any(f"{one}.".startswith(f"{dependency}.") for one in found):
                assert re.fullmatch(homes, name), f"{name} is no home of {dependency}"
                assert where == "inside" or not inside_only, f"{name} imports {dependency} at once"


def test_floor_0_imports_itself_and_what_is_cheap():
    ground = _floor(0)

    assert {"errors", "registry", "observer", "cache", "helper"} <= ground
    for name in ground:
        imports = Imports(name)
        strange = {one for one in imports.top if not one.startswith("devcontainer_registry")}
        strange = {one for one in strange if one != "__future__" and "__future__" not in one}
        assert strange <= CHEAP, name
        assert imports.ours(imports.top) <= ground, name


def test_nothing_below_floor_2_imports_from_it():
    edges = _floor(2)

    assert {"cli", "hook", "render", "_log", "demo"} <= edges
    for name in MODULES - edges - {"__main__"}:
        imports = Imports(name)
        # At any depth of nesting: a function that prints is no better for being called later.
        assert not imports.ours(imports.top | imports.inside) & edges, name


def test_every_module_has_its_floor():
    floors = [_floor(number) for number in (0, 1, 2)]
    kinds = {name for name in MODULES if name.startswith("authenticators/")}

    assert set() == MODULES - set().union(*floors) - kinds - {"__init__", "__main__"}
    assert not floors[0] & floors[1]
    assert not floors[1] & floors[2]


def test_no_module_at_the_top_imports_itself_again():
    graph = {name: Imports(name).ours(Imports(name).top) for name in MODULES}

    def reach(name, seen):
        for other in graph[name] - seen:
            seen.add(other)
            reach(other, seen)
        return seen

    assert [] == [name for name in MODULES if name in reach(name, set())]


# What a fresh interpreter loads.


def loaded(code, *, env=None):
    """
    The modules that *code* leaves loaded, beyond those that an interpreter starts with.
    """
    probe = f"import sys; before = set(sys.modules)\n{code}\nprint(*set(sys.modules) - before)"
    done = subprocess.run(
        [sys.executable, "-c", probe],
        env={"PATH": os.environ["PATH"], **(env or {})},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.rpartition("\n")[0].rpartition("\n")[2].split())


def test_importing_the_package_loads_nothing_dear():
    found = loaded("import devcontainer_registry")

    assert set() == found & set(DEAR)
    assert {"devcontainer_registry"} == {name for name in found if name.startswith("devcont")}


def test_importing_floor_0_loads_nothing_dear():
    code = "".join(f"import devcontainer_registry.{name}\n" for name in _floor(0))

    assert set() == loaded(code) & (set(DEAR) - {"re"})  # json brings it


def test_a_login_loads_only_what_it_needs(tmp_path):
    home = Home(tmp_path)
    with Fine({"bob": "s3cret-s3cret"}) as registry:
        env = {**home.environ, **a_set("ACR", registry.registry)}
        found = loaded("import devcontainer_registry as r; assert r.login().ok", env=env)

    assert "urllib3" in found
    dear = {"boto3", "botocore", "docker", "structlog", "tenacity", "azure", "google", "requests"}
    assert set() == found & (dear | {"asyncio", "argparse"})


def test_a_list_asks_nobody_and_loads_no_network(tmp_path):
    home = Home(tmp_path)
    env = {**home.environ, **a_set("ACR", "registry.example")}

    found = loaded(
        "from devcontainer_registry.commands.cli import main; assert not main(['list'])", env=env
    )

    assert set() == found & {"urllib3", "boto3", "docker", "structlog", "tenacity"}


# Public names.

API = [
    "AuthenticationError",
    "Authenticator",
    "ConfigChangedError",
    "ConfigError",
    "Credential",
    "DiscoveryError",
    "DockerConfig",
    "Finding",
    "Found",
    "Incomplete",
    "InvalidRegistryError",
    "LoginReport",
    "Observer",
    "Outcome",
    "PluginError",
    "Registry",
    "RegistryError",
    "RegistrySecret",
    "RetryPolicy",
    "Secret",
    "TransientError",
    "UnreachableError",
    "discover",
    "login",
    "resolve",
]


def test_the_public_names_are_these():
    # More may come; none of these may go.
    assert set(API) <= set(devcontainer_registry.__all__)
    assert sorted(devcontainer_registry.__all__) == list(devcontainer_registry.__all__)
    assert set(devcontainer_registry.__all__) <= set(dir(devcontainer_registry))


@pytest.mark.parametrize("name", devcontainer_registry.__all__)
def test_each_public_name_resolves_to_something_with_a_docstring(name):
    found = getattr(devcontainer_registry, name)

    assert found is getattr(devcontainer_registry, name)
    assert (found.__doc__ or "").strip()
    if inspect.isclass(found):
        for member, value in vars(found).items():
            public = not member.startswith("_") and (
                inspect.isfunction(value) or isinstance(value, (property, classmethod))
            )
            if public:
                assert inspect.getdoc(getattr(found, member)), f"{name}.{member}"


def test_no_submodule_has_the_name_of_a_public_function():
    assert set() == set(devcontainer_registry.__all__) & MODULES


def test_type_checkers_and_the_interpreter_see_the_same_names():
    with open(os.path.join(PACKAGE, "__init__.py"), encoding="utf-8") as file:
        tree = ast.parse(file.read())
    (block,) = (n for n in tree.body if isinstance(n, ast.If) and _is_type_checking(n.test))
    seen = {
        alias.asname: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert seen == devcontainer_registry._HOMES


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        devcontainer_registry.no_such_name  # noqa: B018  (looking it up is the test)


# Every file, and what ships.


def sources():
    for top in ("devcontainer_registry", "tests", "bench", "hooks"):
        for folder, _, files in os.walk(os.path.join(ROOT, top)):
            for file in files:
                # Examples are for users to copy, and so carry nobody's licence.
                if file.endswith((".py", ".sh")) and "examples" not in folder:
                    yield os.path.join(folder, file)


def test_each_file_says_its_licence_in_its_first_lines():
    for path in sources():
        with open(path, encoding="utf-8") as file:
            head = [file.readline() for _ in range(3)]
        assert "# SPDX-License-Identifier: MIT\n" in head, path


@pytest.mark.parametrize("name", sorted(MODULES))
def test_each_module_has_a_docstring_and_new_annotations(name):
    with open(os.path.join(PACKAGE, f"{name}.py"), encoding="utf-8") as file:
        text = file.read()

    assert ast.get_docstring(ast.parse(text))
    assert "from __future__ import annotations\n" in text


def test_the_wheel_has_the_package_and_nothing_else(tmp_path):
    pytest.importorskip("hatchling")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        entry_points = archive.read(
            next(n for n in names if n.endswith("entry_points.txt"))
        ).decode()

    modules = {n for n in names if n.startswith("devcontainer_registry/")}
    expected = {f"devcontainer_registry/{name}.py" for name in _modules()}
    assert expected | {"devcontainer_registry/py.typed"} == modules
    assert all(".dist-info/" in name for name in set(names) - modules)
    assert (
        "docker-credential-devcontainer-registry = devcontainer_registry.helper:run" in entry_points
    )
    assert "devcontainer-registry = devcontainer_registry.__main__:main" in entry_points
    for kind in ("acr", "ecr", "generic", "ghcr", "google"):
        assert f"{kind} = devcontainer_registry.authenticators.{kind}:" in entry_points
    assert any(name.endswith("/licenses/LICENSE") for name in names)
