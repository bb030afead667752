# SPDX-License-Identifier: MIT
"""
What a kubelet does with the pod of a manifest, as far as a job of a few steps needs it: its init
containers one after the other, then its container, each only if the one before it succeeded.

Here, as processes of this machine, or in containers of an engine.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """
    One container of a pod.

    Attributes:
        name: Its name.
        argv: Its whole command line, as in the manifest.
        environ: Its variables, those with a value.
        mounts: Folder in the container to the name of its volume, and whether it is read-only.
        container: As in the manifest.
    """

    name: str
    argv: list
    environ: dict
    mounts: dict
    container: dict


class Job:
    """
    The CronJob of the manifest at *path*.

    Attributes:
        documents: All of the manifest's.
        cron: The CronJob.
        job: The spec of its jobs.
        pod: The spec of their pods.
        steps: See `Step`.
    """

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.documents = list(yaml.safe_load_all(file))
        (self.cron,) = self.of("CronJob")
        self.job = self.cron["spec"]["jobTemplate"]["spec"]
        self.pod = self.job["template"]["spec"]
        self.steps = [_step(each) for each in self.pod["initContainers"] + self.pod["containers"]]

    def of(self, *kinds):
        return [document for document in self.documents if document["kind"] in kinds]

    @property
    def user(self):
        """
        Who the pod is for the API server.
        """
        namespace = self.cron["metadata"]["namespace"]
        return f"system:serviceaccount:{namespace}:{self.pod['serviceAccountName']}"

    def runs(self, run, *, names=None):
        """
        Run the steps, or those of *names*, by *run*, up to the first that fails; name to process.
        """
        done = {}
        for step in self.steps:
            if names is None or step.name in names:
                done[step.name] = run(step)
                if done[step.name].returncode:
                    break
        return done


def _step(container):
    return Step(
        name=container["name"],
        argv=[*container["command"], *container.get("args", ())],
        environ={each["name"]: each["value"] for each in container.get("env", ())},
        mounts={
            each["mountPath"]: (each["name"], each.get("readOnly", False))
            for each in container["volumeMounts"]
        },
        container=container,
    )


def here(client, volumes, **environ):
    """
    A function that runs a step as a process of this machine.

    Args:
        client: Its PATH has the programs.
        volumes: Name to folder; in the step's command line and variables, this folder is put
            where the manifest has the place where it is mounted.
        environ: More variables.
    """

    def run(step):
        places = {place: volumes[name] for place, (name, _) in step.mounts.items()}

        def moved(text):
            for place, folder in places.items():
                text = text.replace(place, str(folder))
            return text

        return client.run(
            *map(moved, step.argv),
            # As in the image, no home; and none that kubectl, as root, could make.
            HOME="/proc/no-home",
            **{name: moved(value) for name, value in step.environ.items()} | environ,
        )

    return run


def in_engine(client, engine, image, pod, volumes, **environ):
    """
    A function that runs a step in a container of *image*, confined as its *pod* says.

    It is on this machine's network.  Seccomp's RuntimeDefault is what the engine does by itself.
    """
    security = pod["securityContext"]

    def run(step):
        own = step.container["securityContext"]
        mounts = [
            f"--volume={volumes[name]}:{place}:{'ro' if read_only else 'rw'}"
            for place, (name, read_only) in step.mounts.items()
        ]
        variables = {**step.environ, **environ}
        limits = step.container["resources"]["limits"]
        return client.docker(
            *("run", "--rm", "--network=host", *mounts),
            *(f"--env={name}={value}" for name, value in variables.items()),
            f"--user={security['runAsUser']}:{security['runAsGroup']}",
            f"--group-add={security['fsGroup']}",
            *(f"--cap-drop={each}" for each in own["capabilities"]["drop"]),
            *(["--read-only"] if own["readOnlyRootFilesystem"] else []),
            *([] if own["allowPrivilegeEscalation"] else ["--security-opt=no-new-privileges"]),
            f"--memory={limits['memory'].removesuffix('i').lower()}",
            *(f"--entrypoint={step.argv[0]}", image, *step.argv[1:]),
            DOCKER_HOST=engine.host,
        )

    return run


def volume(folder, files=(), *, mode=0o2777):
    """
    Make *folder* as a kubelet makes a volume, with *files*: name to content.
    """
    os.makedirs(folder)
    for name, content in dict(files).items():
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
        os.chmod(path, 0o444)
    os.chmod(folder, mode)
    return str(folder)
