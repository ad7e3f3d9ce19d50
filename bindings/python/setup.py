"""Builds the shared library by CMake, from the checkout that this folder is in, and puts it into the package."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py
from wheel.bdist_wheel import bdist_wheel

ROOT = Path(__file__).resolve().parents[2]


def version():
    found = re.search(r"project\(lfm VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text())
    return found.group(1)


class BuildWithLibrary(build_py):
    def run(self):
        super().run()
        if self.editable_mode:
            return  # LFM_LIBRARY says where one is
        given = os.environ.get("LFM_LIBRARY")
        library = Path(given) if given else self.build_library()
        shutil.copyfile(library.resolve(), Path(self.build_lib) / "lfm" / f"liblfm.so.{version()}")

    def build_library(self):
        tree = Path(self.get_finalized_command("build").build_temp).resolve() / "lfm"
        generator = ["-G", "Ninja"] if shutil.which("ninja") else []
        off = [f"-DLFM_{part}=OFF" for part in ("BUILD_TESTS", "BUILD_TOOLS", "BUILD_EXAMPLES", "INSTALL")]
        subprocess.run(["cmake", "-S", ROOT, "-B", tree, *generator, *off, "-DCMAKE_BUILD_TYPE=Release",
                        "-DBUILD_SHARED_LIBS=ON", "-DCMAKE_UNITY_BUILD=ON"], check=True)
        subprocess.run(["cmake", "--build", tree, "--target", "lfm", "--parallel"], check=True)
        return next(tree.rglob("liblfm.so"))


class AnyPython(bdist_wheel):
    """No part of it is compiled for a version of Python."""

    def get_tag(self):
        return "py3", "none", super().get_tag()[2]


class WithLibrary(Distribution):
    def has_ext_modules(self):
        return True


setup(version=version(), long_description=(ROOT / "docs" / "python.md").read_text(encoding="utf-8"),
      long_description_content_type="text/markdown", distclass=WithLibrary,
      cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": AnyPython})
