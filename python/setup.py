"""Builds the library with the Swift toolchain, and packs it with the Swift runtime beside it."""

import platform
import re
import shutil
import subprocess
from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py
from setuptools.dist import Distribution

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parent
PRODUCT = "diffspecc"
# Models that the wheel carries, with their companions.
MODELS = ("fashion-mnist", "cifar10")
# Of the system everywhere (PEP 600); everything else is packed.
SYSTEM = re.compile(r"(ld-linux.*|libc|libm|libdl|librt|libpthread|libgcc_s|libstdc\+\+|libz)\.so")


def version() -> str:
    text = (PACKAGE / "Sources/Reports/Version.swift").read_text()
    return re.search(r'current = "(.+)"', text)[1]


def output(*command: str) -> str:
    return subprocess.run(command, check=True, text=True, capture_output=True).stdout


def build_library() -> Path:
    """Compiles the library, in the package's own build folder. Returns it."""
    if shutil.which("swift") is None:
        raise SystemExit("error: no Swift toolchain on the PATH: diffspec is built with `swift build`; see swift.org/install")
    if not (PACKAGE / "Package.swift").exists():
        raise SystemExit(f"error: {PACKAGE} holds no Package.swift: install from the repository, `pip install ./python`")
    options = ("build", "-c", "release", "--package-path", str(PACKAGE), "--product", PRODUCT)
    subprocess.run(("swift", *options), check=True)
    return Path(output("swift", *options, "--show-bin-path").strip()) / f"lib{PRODUCT}.so"


def locations(library: Path) -> dict[str, Path]:
    """Where the loader finds what the library needs, by name."""
    found = re.findall(r"^\s*(\S+) => (/\S+)", output("ldd", str(library)), re.MULTILINE)
    return {name: Path(path) for name, path in found}


def pack(library: Path, folder: Path) -> None:
    """Copies the library and all that it needs but the system has into a folder, each looking for the others there."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    needed = {"libdiffspec.so": library}
    needed |= {name: path for name, path in locations(library).items() if not SYSTEM.match(name)}
    for name, path in needed.items():
        shutil.copyfile(path, folder / name)
        subprocess.run(("patchelf", "--set-rpath", "$ORIGIN", str(folder / name)), check=True)


class Build(build_py):
    def run(self) -> None:
        super().run()
        package = Path(self.build_lib) / "diffspec"
        pack(build_library(), package / "lib")
        for model in MODELS:
            for folder in (PACKAGE / "weights").glob(model + "*"):
                shutil.copytree(folder, package / "weights" / folder.name, dirs_exist_ok=True)


class Wheel(bdist_wheel):
    """For any Python 3, and for systems whose C library is as new as this one's."""

    def get_tag(self) -> tuple[str, str, str]:
        libc, number = platform.libc_ver()
        tag = f"manylinux_{number.replace('.', '_')}_{platform.machine()}" if libc == "glibc" else super().get_tag()[2]
        return "py3", "none", tag


class Binary(Distribution):
    def has_ext_modules(self) -> bool:
        return True


setup(version=version(), cmdclass={"build_py": Build, "bdist_wheel": Wheel}, distclass=Binary)
