"""All metadata stands in setup.cfg; the native library is built by CMake (scripts/setup.sh)."""

from setuptools import setup

setup()
