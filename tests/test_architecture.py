# SPDX-License-Identifier: MIT
"""
The rules of the architecture: import order, slow dependencies, public names, packed files.
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
from doubles.homes import Home, a_set
from doubles.servers import Fine

import devcontainer_registry

PACKAGE = os.path.dirname(devcontainer_registry.__file__)
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# From the bottom to the top: no module imports from a folder above its own.  A name is a
# folder, or a module at the root of the package.
ORDER = (
    "errors",
    "naming",
    "events",
    "observer",
    "files",
    "threads",
    "registry",
    "causes",
    "credentials",
    "report",
    "breakdown",
    "cache",
    "config",
    "discovery",
    "network",
    "identities",
    "authenticators",
    "logins",
    "kubelet",
    "keychain",
    "diagnosis",
    "testing",
    "commands",
    "helper",
    "__init__",
    "__main__",
)

LEVELS_MAX = 12
MODULES_MAX = 12  # in one folder, without its `__init__`
LINES_MAX = 350
WORDS_MAX = 11  # in the first line of a docstring

# Tens or hundreds of milliseconds each; a helper that runs at every pull has thirty in all.
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
    "yaml",
)

# Which module may name it, and whether only inside a function.
HOMES = {
    "azure": (r"authenticators/(acr|clouds/(entra\w*|bodies))", True),
    "boto3": (r"authenticators/clouds/aws/\w+", True),
    "botocore": (r"authenticators/clouds/(aws/\w+|bodies)", True),
    "docker": (r"diagnosis/\w+", True),
    "google": (r"authenticators/clouds/google\w*", True),
    "importlib.metadata": (r"authenticators/__init__|__init__", True),
    "structlog": (r"commands/log", True),
    "tenacity": (r"logins/asking", True),
    "urllib3": (r"network/(transport|connections|failures)|authenticators/clouds/bodies", False),
    "yaml": (r"diagnosis/images/compose", True),
}

# Modules that Docker, or a container's start, runs each time: these, and fast ones.
FAST = {
    "errors",
    "registry",
    "naming",
    "files",
    "cache/__init__",
    "cache/folder",
    "cache/entry",
    "cache/fast_json",
    "kubelet/__init__",
    "kubelet/protocol",
    "kubelet/remembered",
}
FAST_ENTRIES = {"helper", "commands/__init__", "commands/kubelet", "commands/quiet_start"}
CHEAP = {
    "_blake2",
    "_json",
    "base64",
    "binascii",
    "errno",
    "fcntl",
    "json",
    "os",
    "stat",
    "sys",
    "time",
}


class Imports:
    """
    The imports of a module: at import time, inside functions, and for its types only.
    """

    def __init__(self, name):
        self.name = name
        self.top, self.inside, self.types = set(), set(), set()
        with open(os.path.join(PACKAGE, f"{name}.py"), encoding="utf-8") as file:
            self._walk(ast.parse(file.read()), self.top)

    def _walk(self, node, found):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and _is_type_checking(child.test):
                self._walk(ast.Module(child.body, []), self.types)
                self._walk(ast.Module(child.orelse, []), found)
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
        base = ".".join([*package, node.module] if node.module else package)
        # The version is metadata, read on demand.
        names = {f"{base}.{alias.name}" for alias in node.names if alias.name != "__version__"}
        return names if not node.module else {base, *names}

    def ours(self, found):
        """
        The modules of this package in *found*, as paths.
        """
        names = set()
        for name in found:
            first, _, rest = name.partition(".")
            path = rest.replace(".", "/")
            if first != "devcontainer_registry":
                continue
            if path in MODULES:
                names.add(path)
            elif path and f"{path}/__init__" in MODULES:
                names.add(f"{path}/__init__")
        return names

    @property
    def all_of_ours(self):
        return self.ours(self.top | self.inside | self.types) - {self.name}


def _is_type_checking(test):
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def _modules():
    for folder, _, files in os.walk(PACKAGE):
        for file in files:
            if file.endswith(".py"):
                yield os.path.relpath(os.path.join(folder, file), PACKAGE).removesuffix(".py")


MODULES = frozenset(_modules())
GRAPH = {name: Imports(name).all_of_ours for name in MODULES}


def _text(name):
    with open(os.path.join(PACKAGE, f"{name}.py"), encoding="utf-8") as file:
        return file.read()


def _room(name):
    return name.partition("/")[0]


# The structure.


@pytest.mark.parametrize("name", sorted(MODULES))
def test_no_module_imports_from_a_folder_above_its_own(name):
    own = ORDER.index(_room(name))

    assert [] == [other for other in GRAPH[name] if ORDER.index(_room(other)) > own]


def test_no_module_is_part_of_an_import_cycle():
    def reach(name, seen):
        for other in GRAPH[name] - seen:
            seen.add(other)
            reach(other, seen)
        return seen

    assert [] == [name for name in sorted(MODULES) if name in reach(name, set())]


@pytest.mark.parametrize("name", sorted(MODULES))
def test_modules_that_a_folder_imports_are_imported_through_the_folder_only(name):
    """
    Python locks a submodule before its folder: two threads, one at each, cause a deadlock.
    """
    for other in Imports(name).all_of_ours:
        folder = other.rpartition("/")[0]
        head = f"{folder}/__init__"
        if folder and not name.startswith(f"{folder}/"):
            imports = Imports(head)
            assert other not in imports.ours(imports.top), f"from {folder} import …"


def test_the_package_has_at_most_twelve_import_levels():
    levels = {}

    def level(name):
        # Imports that run, at once or later; a name for a type checker imports nothing.
        if name not in levels:
            imports = Imports(name)
            below = imports.ours(imports.top | imports.inside) - {name}
            levels[name] = 1 + max(map(level, below), default=0)
        return levels[name]

    highest = max(MODULES - {"__init__"}, key=level)

    assert level(highest) <= LEVELS_MAX, highest


def test_no_folder_has_too_many_modules_and_no_module_is_too_long():
    folders = {}
    for name in MODULES:
        folders.setdefault(name.rpartition("/")[0], set()).add(name)

    for folder, names in folders.items():
        inside = {name for name in names if not name.endswith("__init__")} - {"__main__"}
        assert len(inside) <= MODULES_MAX, folder
    assert [] == [name for name in MODULES if len(_text(name).splitlines()) > LINES_MAX]


def test_names_of_modules_are_public_except_in_the_testing_folder():
    private = {name for name in MODULES if re.search(r"(^|/)_(?!_)", name)}

    assert set() == {name for name in private if not name.startswith("testing/")}


@pytest.mark.parametrize("name", sorted(MODULES))
def test_the_docstring_of_each_module_states_its_purpose(name):
    first = ast.get_docstring(ast.parse(_text(name))).splitlines()[0]

    assert first.endswith(".")
    assert 0 < len(first.split()) <= WORDS_MAX


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_slow_dependency_is_imported_in_its_own_module_only(name):
    imports = Imports(name)

    for dependency, (homes, inside_only) in HOMES.items():
        for where, found in (("top", imports.top), ("inside", imports.inside)):
            if any(f"{one}.".startswith(f"{dependency}.") for one in found):
                assert re.fullmatch(homes, name), f"{name} is no home of {dependency}"
                assert where == "inside" or not inside_only, f"{name} imports {dependency} at once"


@pytest.mark.parametrize("name", sorted(FAST | FAST_ENTRIES))
def test_the_fast_path_imports_only_itself_and_fast_modules(name):
    imports = Imports(name)
    strange = {one.partition(".")[0] for one in imports.top}

    assert strange <= CHEAP | {"__future__", "devcontainer_registry"}
    assert imports.ours(imports.top) <= FAST


def test_an_entry_of_the_cache_never_imports_credentials():
    assert "credentials" not in GRAPH["cache/entry"]


# Modules that a fresh interpreter loads.


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


def test_importing_the_package_loads_no_slow_dependency():
    found = loaded("import devcontainer_registry")

    assert set() == found & set(DEAR)
    assert {"devcontainer_registry"} == {name for name in found if name.startswith("devcont")}


def test_importing_the_fast_path_loads_no_slow_dependency():
    names = (name.removesuffix("/__init__").replace("/", ".") for name in FAST | FAST_ENTRIES)
    code = "".join(f"import devcontainer_registry.{name}\n" for name in names)

    assert set() == loaded(code) & set(DEAR)


def test_a_login_loads_only_what_it_needs(tmp_path):
    home = Home(tmp_path)
    with Fine({"bob": "s3cret-s3cret"}) as registry:
        env = {**home.environ, **a_set("ACR", registry.registry)}
        found = loaded("import devcontainer_registry as r; assert r.login().ok", env=env)

    assert "urllib3" in found
    dear = {"boto3", "botocore", "docker", "structlog", "tenacity", "azure", "google", "requests"}
    assert set() == found & (dear | {"asyncio", "argparse"})


def test_a_list_sends_no_request_and_loads_no_network_module(tmp_path):
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
    "LoginError",
    "LoginReport",
    "Observer",
    "Outcome",
    "PluginError",
    "Registry",
    "RegistryError",
    "RegistrySecret",
    "RetryPolicy",
    "Secret",
    "ThrottledError",
    "TransientError",
    "UnknownSetError",
    "UnreachableError",
    "diagnose",
    "discover",
    "export",
    "logging_observer",
    "login",
    "logout",
    "resolve",
    "status",
]


def test_the_public_names_are_the_documented_ones():
    # Names may be added; none of these may be removed.
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
    rooms = {_room(name) for name in MODULES}

    assert set() == set(devcontainer_registry.__all__) & rooms


def test_type_checkers_and_the_interpreter_see_the_same_public_names():
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


# Every file, and the packed files.


def sources():
    for top in ("devcontainer_registry", "tests", "bench", "hooks"):
        for folder, _, files in os.walk(os.path.join(ROOT, top)):
            for file in files:
                # Examples are for users to copy, and so have no licence line.
                if file.endswith((".py", ".sh")) and "examples" not in folder:
                    yield os.path.join(folder, file)


def test_each_file_names_its_licence_in_its_first_lines():
    for path in sources():
        with open(path, encoding="utf-8") as file:
            head = [file.readline() for _ in range(3)]
        assert "# SPDX-License-Identifier: MIT\n" in head, path


@pytest.mark.parametrize("name", sorted(MODULES))
def test_each_module_has_a_docstring_and_new_annotations(name):
    with open(os.path.join(PACKAGE, f"{name}.py"), encoding="utf-8") as file:
        text = file.read()

    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    assert len(tree.body) == 1 or "from __future__ import annotations\n" in text


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

    modules = {n for n in names if n.startswith("devcontainer_registry/") and "/scripts/" not in n}
    expected = {f"devcontainer_registry/{name}.py" for name in _modules()}
    assert expected | {"devcontainer_registry/py.typed"} == modules
    assert all(".dist-info/" in name for name in set(names) - modules if "/scripts/" not in name)
    assert (
        "docker-credential-devcontainer-registry = devcontainer_registry.__main__:helper"
        in entry_points
    )
    assert "devcontainer-registry = devcontainer_registry.__main__:main" in entry_points
    assert "devcontainer-registry-kubelet = devcontainer_registry.__main__:kubelet" in entry_points
    for kind in ("acr", "ecr", "generic", "ghcr", "google"):
        assert f"{kind} = devcontainer_registry.authenticators.{kind}:" in entry_points
    assert any(name.endswith("/licenses/LICENSE") for name in names)


# ARCHITECTURE.md.

with open(os.path.join(ROOT, "ARCHITECTURE.md"), encoding="utf-8") as _page:
    PAGE = _page.read()
QUESTIONS = re.findall(r"^\| ([^|]+\?) \| `([^`]+)` \| `([^`]+)` \|$", PAGE, re.MULTILINE)


def test_every_path_in_the_architecture_exists():
    paths = set(re.findall(r"`((?:[a-z_]+/)*[a-z_]+(?:\.py|/))`", PAGE))

    assert len(paths) > 20
    assert [] == [path for path in paths if not os.path.exists(os.path.join(PACKAGE, path))]


def test_the_architecture_lists_every_folder_in_order():
    rooms = [room for room in ORDER if os.path.isdir(os.path.join(PACKAGE, room))]

    assert rooms == re.findall(r"^\| `([a-z]+)/` \|", PAGE, re.MULTILINE)
    assert len(PAGE.splitlines()) <= 150


@pytest.mark.parametrize(("question", "path", "name"), QUESTIONS)
def test_each_question_of_the_architecture_has_its_definition(question, path, name):
    def defined(where, wanted):
        first, _, rest = wanted.partition(".")
        for node in ast.parse(_text(where)).body if isinstance(where, str) else where.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == first:
                return defined(node, rest) if rest else True
        return False

    assert defined(path.removesuffix(".py"), name), question
    assert 15 == len(QUESTIONS)
