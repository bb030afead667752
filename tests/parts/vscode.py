# SPDX-License-Identifier: MIT
"""
What VS Code's Dev Containers extension does to config.json whenever it attaches.

Its own source is closed; these are the commands of its log, with the same redirections:
https://github.com/microsoft/vscode-remote-release/issues/8963
https://github.com/microsoft/vscode-remote-release/issues/7184
"""

from __future__ import annotations

import json
import os
import uuid

# Outside of VS Code's own shells there is nobody to ask: exit status 255, and nothing on stdout.
# Inside, it answers what the user's own machine has; here that is nothing.
_HELPER = """\
#!/bin/sh
[ -n "${REMOTE_CONTAINERS_IPC:-}" ] || exit 255
echo "credentials not found in native keychain"
exit 1
"""


class VsCode:
    """
    The extension, attached to the container that *client* is.

    Args:
        folder: `/usr/local/bin`, or what stands for it.
        enter: What to put before a command line to run it in the container.

    Attributes:
        in_its_shell: What a terminal of VS Code has in its environment, and nothing else has.
    """

    def __init__(self, client, folder, *, enter=()):
        self.in_its_shell = {"REMOTE_CONTAINERS_IPC": "/tmp/vscode-remote-containers-ipc.sock"}
        self._client = client
        self._folder = str(folder)
        self._enter = enter

    def attach(self):
        """
        All of it, with nobody in between.
        """
        self.write(self.read())

    def read(self):
        """
        What it takes config.json to be.
        """
        return self._run('cat ~/.docker/config.json || echo "{\n}"')

    def write(self, text):
        """
        Install its helper, and write back what it *read*, with that helper in it.
        """
        name = f"dev-containers-{uuid.uuid4()}"
        helper = os.path.join(self._folder, f"docker-credential-{name}")
        self._run(
            f"mkdir -p {self._folder} && cat <<'EOF-{helper}' >{helper}\n{_HELPER}EOF-{helper}\n"
        )
        self._run(f"chmod +x {helper}")
        config = json.loads(text)
        config["credsStore"] = name
        text = json.dumps(config, indent="\t")
        self._run(
            f"mkdir -p ~/.docker && cat <<'EOF-{helper}' >~/.docker/config.json\n{text}\n"
            f"EOF-{helper}\n"
        )

    def _run(self, script):
        done = self._client.run("/bin/sh", "-c", script, enter=self._enter)
        assert 0 == done.returncode, done.stderr
        return done.stdout
