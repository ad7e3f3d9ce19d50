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
        # Its name is the one that the linker wrote into it, without the patch's number.
        shutil.copyfile(library.resolve(), Path(self.build_lib) / "lfm" / f"liblfm.so.{'.'.join(version().split('.')[:2])}")

    def build_library(self):
        tree = Path(self.get_finalized_command("build").build_temp).resolve() / "lfm"
        generator = ["-G", "Ninja"] if shutil.which("ninja") else []
        subprocess.run(["cmake", "-S", ROOT, "-B", tree, *generator, "-DCMAKE_BUILD_TYPE=Release", "-DBUILD_SHARED_LIBS=ON",
                        "-DCMAKE_UNITY_BUILD=ON", "-DLFM_BUILD_TESTS=OFF", "-DLFM_BUILD_TOOLS=OFF",
                        "-DLFM_BUILD_EXAMPLES=OFF", "-DLFM_INSTALL=OFF"], check=True)
        subprocess.run(["cmake", "--build", tree, "--target", "lfm", "--parallel"], check=True)
        return next(tree.rglob("liblfm.so"))


class AnyPython(bdist_wheel):
    """No part of it is compiled for a version of Python."""

    def get_tag(self):
        return "py3", "none", super().get_tag()[2]


class WithLibrary(Distribution):
    def has_ext_modules(self):
        return True


setup(version=version(), cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": AnyPython}, distclass=WithLibrary)
