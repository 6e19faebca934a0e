"""The image of the Dockerfile, built and run by buildah without a container engine's daemon.

Registries of images are not reached where carbonline is tested. A minimal Debian with its own
Python, made by debootstrap, stands in for the base image `python:3.12-slim`; all else is as the
Dockerfile says. Buildah isolates by chroot only: processes share the network of the machine.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.build.compose_file import REPOSITORY

TOOLS = ("buildah", "debootstrap", "git")
BASE = "docker.io/library/python:3.12-slim"
BASE_PACKAGES = "python3,python3-venv,python3-pip,ca-certificates"
IMAGE = "carbonline"
CERTIFICATES = "/etc/ssl/certs:/etc/ssl/certs:ro"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BUILD_SECONDS_MAX = 900


def why_not() -> str:
    """Why no image can be built here, or nothing."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        return f"builds an image, for which {' and '.join(missing)} must be installed"
    return "builds an image, for which one must be root" if os.geteuid() else ""


class BuiltImage:
    """The image in a store of its own below a folder."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds the store, a copy of the source and the base system; some GB."""
        self._folder = folder
        self._buildah = (
            *("buildah", "--storage-driver", "vfs"),
            *("--root", str(folder / "images"), "--runroot", str(folder / "run")),
        )

    def build(self) -> None:
        """Builds the base and then the Dockerfile; CalledProcessError tells what was printed."""
        base = self._folder / "base"
        self._call(
            "debootstrap", "--variant=minbase", f"--include={BASE_PACKAGES}", "bookworm", base
        )
        # The base that it stands in for lets pip install, and calls its interpreter so.
        for marker in base.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
            marker.unlink()
        (base / "usr/bin/python").symlink_to("python3")
        made = self.buildah("from", "scratch")
        self.buildah("add", "--quiet", made, str(base), "/")
        self.buildah("config", "--env", f"PATH={PATH}", made)
        self.buildah("commit", "--quiet", "--rm", made, BASE)
        source = self._folder / "source"
        self._call("git", "clone", "--quiet", REPOSITORY, source)
        self.buildah(
            *("build", "--pull-never", "--isolation", "chroot", "--network", "host"),
            *("--volume", CERTIFICATES, "--tag", IMAGE, str(source)),
        )

    def container(self) -> str:
        """The name of a new container of the image."""
        return self.buildah("from", "--pull-never", IMAGE)

    def running(
        self,
        container: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        mounts: Mapping[str, Path],
        user: str = "",
    ) -> list[str]:
        """The command line that runs `command` in a container; a mount is its folder -> ours."""
        return [
            *(*self._buildah, "run", "--isolation", "chroot"),
            *(f"--env={name}={value}" for name, value in environment.items()),
            *(f"--volume={ours}:{its}:rw" for its, ours in mounts.items()),
            *([f"--user={user}"] if user else []),
            *(container, "--", *command),
        ]

    def buildah(self, *arguments: str) -> str:
        """What a command of buildah prints, without the line's end."""
        return self._call(*self._buildah, *arguments)

    def _call(self, *command: str | Path) -> str:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=BUILD_SECONDS_MAX
        )
        assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done.stdout.strip()
