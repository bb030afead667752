#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Installs devcontainer-registry into a venv of its own, and puts it where every process of the
# container looks.  Runs as root while the image is built, when there are no secrets.
set -eu
cd "$(dirname "$0")"
# What is installed is for every user, also where root's own files are for root alone.
umask 022

name=devcontainer-registry
home=/usr/local/share/$name
venv=$home/venv
bin=/usr/local/bin

say() { echo "$name: $*" >&2; }
die() { say "$*"; exit 1; }

# The options are pasted into scripts below: nothing passes that is not one of their values.
one_of() {
    value=$1
    shift
    for allowed; do [ "$value" != "$allowed" ] || return 0; done
    die "$value is none of: $*"
}

version=${VERSION:-bundled}
store=${STORE:-auto}
verify=${VERIFY:-changed}
strict=${STRICT:-false}
on_create=${ONCREATE:-false}
one_of "$store" auto auths helper
one_of "$verify" changed always never
one_of "$strict" true false
one_of "$on_create" true false

# The version of the wheel in this folder.  By default no index is asked: the package's name is not
# registered, and the first to register it would run with the container's secrets.
bundled_version() {
    set -- devcontainer_registry-*.whl
    [ -f "$1" ] || {
        say "there is no wheel of $name in the Feature's folder"
        say "fix: run ./dev feature in a clone of $name, and copy the folder again;"
        die '  or set "version" to the https URL of a wheel'
    }
    [ $# = 1 ] || {
        say "there is more than one wheel of $name in the Feature's folder: $*"
        die 'fix: delete all but one, or set "version" to the name of one'
    }
    version=$1
}

not_a_version() {
    die "version is neither a version, nor an https URL of a wheel, nor a wheel in this folder"
}

# The same for the version, before anything is installed, as pip and uv take more than that: an
# index, a file anywhere, a checksum that they pass over since it is none.
check_version() {
    [ "$version" != bundled ] || bundled_version
    case $version in
        *[[:space:]]* | -*) not_a_version ;;
        latest) ;;
        https://*'#'*)
            digest=${version#*'#'}
            case ${version%%'#'*}:$digest in *.whl:sha256=*) ;; *) not_a_version ;; esac
            digest=${digest#sha256=}
            case $digest in *[!0123456789abcdef]*) digest= ;; esac
            [ ${#digest} = 64 ] || die "sha256 is not 64 digits as sha256sum prints them"
            ;;
        https://*.whl) ;;
        */*) not_a_version ;;
        *.whl)
            # A pattern will do: a wheel has its version in its name.
            # shellcheck disable=SC2086
            set -- $version
            [ $# = 1 ] && [ -f "$1" ] || die "$version is not one wheel in this Feature's folder"
            version=$1
            ;;
        *[!0-9A-Za-z.+!_-]*) not_a_version ;;
        [0-9]*) ;;
        *) not_a_version ;;
    esac
}

# Make the venv with a Python that is here, if one is new enough.
venv_by_python() {
    for python in /usr/bin/python3 python3 /usr/local/python/current/bin/python3 /usr/local/bin/python3 \
        python3.14 python3.13 python3.12 python3.11 python3.10; do
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || continue
        # A distribution's can lack what a venv needs, and tells only those who try.
        rm -rf "$venv"
        if "$python" -m venv "$venv" >/dev/null 2>&1; then
            say "using $("$python" --version)"
            return
        fi
    done
    rm -rf "$venv"
    return 1
}

# Without pip in it, which uv does not need; and where there is no Python, uv fetches one.
venv_by_uv() {
    command -v uv >/dev/null || return 1
    rm -rf "$venv"
    say "using $(uv --version)"
    UV_PYTHON_INSTALL_DIR=$home/python uv venv --quiet --no-cache --python '>=3.10' "$venv"
}

# Install the distribution's Python, where its family is known; whether that worked shows later.
install_python() {
    if command -v apt-get >/dev/null; then
        say "installing python3 and python3-venv"
        apt-get -q update &&
            DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends \
                python3 python3-venv ca-certificates
        rm -rf /var/lib/apt/lists/*
    elif command -v apk >/dev/null; then
        say "installing python3"
        apk add --no-cache python3
    elif command -v dnf >/dev/null || command -v microdnf >/dev/null; then
        dnf=$(command -v dnf || command -v microdnf)
        # Where python3 is older than 3.10, there is a newer one beside it.
        for package in python3 python3.12 python3.11; do
            say "installing $package"
            "$dnf" -y install "$package" && venv_by_python && break
        done
        "$dnf" clean all
    fi
}

no_python() {
    say "this image has no Python 3.10 or newer that can make a venv, and none could be installed"
    # Not as "installsAfter" of ours: to resolve that the dev container CLI has to reach ghcr.io, and
    # where it can't, no container starts.
    say "hint: add the Python Feature to devcontainer.json, and have it installed first:"
    say '  "features": { "ghcr.io/devcontainers/features/python:1": {}, ... },'
    say '  "overrideFeatureInstallOrder": ["ghcr.io/devcontainers/features/python"]'
    exit 1
}

make_venv() {
    mkdir -p "$home" "$bin"
    venv_by_python || venv_by_uv || {
        install_python >&2 || true
        [ -x "$venv/bin/pip" ] || venv_by_python || no_python
    }
}

install_wheels() {
    if [ -x "$venv/bin/pip" ]; then
        # Some images set PIP_USER, which in a venv is an error.
        PIP_USER=0 "$venv/bin/python" -m pip --disable-pip-version-check --no-input install --quiet \
            --no-cache-dir "$@"
    else
        uv pip install --quiet --no-cache --compile-bytecode --python "$venv/bin/python" "$@"
    fi
}

install_package() {
    case $version in
        latest) install_wheels "$name" ;;
        https://*) install_wheels "$name @ $version" ;;
        *.whl)
            others=
            for wheel in *.whl; do [ "$wheel" = "$version" ] || others=yes; done
            # With its dependencies beside it, nobody is to be asked for another.
            if [ -n "$others" ]; then
                install_wheels --no-index --find-links . "./$version"
            else
                install_wheels "./$version"
            fi
            ;;
        *) install_wheels "$name==$version" ;;
    esac || die "it could not be installed; the lines above say why"
}

# A link to a venv's interpreter is not the venv's interpreter: it must be started by its own path.
put_on_path() {
    for command in "$name" "docker-credential-$name"; do
        rm -f "$bin/$command"
        ln -s "$venv/bin/$command" "$bin/$command"
    done
    rm -f "$bin/$name-python"
    cat >"$bin/$name-python" <<END
#!/bin/sh
exec $venv/bin/python "\$@"
END
    chmod 755 "$bin/$name-python"
}

# What devcontainer-feature.json runs at each step.  The options are variables of this one process:
# in the container's environment every process had them, and one that devcontainer.json sets wins.
write_hook() {
    rm -f "$home/hook"
    {
        cat <<END
#!/bin/sh
# What the Feature's options say; see devcontainer-feature.json.
END
        [ "$on_create" = true ] || echo '[ "$1" != onCreate ] || exit 0'
        # The defaults are the command's own, and a start is faster without variables to look at.
        [ "$store" = auto ] ||
            echo ": \"\${DEVCONTAINER_REGISTRY_STORE:=$store}\"; export DEVCONTAINER_REGISTRY_STORE"
        [ "$verify" = changed ] ||
            echo ": \"\${DEVCONTAINER_REGISTRY_VERIFY:=$verify}\"; export DEVCONTAINER_REGISTRY_VERIFY"
        if [ "$strict" = true ]; then options=' --strict'; else options=; fi
        cat <<END
status=0
$bin/$name hook "\$1"$options || status=\$?
# Without a Python that runs (126, 127) every later step of the start would be skipped.
case \$status in
    126 | 127) echo "$name does not run here; hint: rebuild the container" >&2 ;;
    *) exit "\$status" ;;
esac
END
    } >"$home/hook"
    chmod 755 "$home/hook"
}

[ "$(id -u)" = 0 ] || die "a Feature is installed by root"
check_version
make_venv
install_package
put_on_path
write_hook
# A wheel may be anything, and for another machine.
installed=$("$bin/$name" --version) && "$bin/docker-credential-$name" version >/dev/null ||
    die "what was installed does not run"
say "installed $installed"
