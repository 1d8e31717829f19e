"""The optional compiled build: with CLASP_COMPILED=1 the hot modules become C extensions, from the same .py.

Without it this file adds nothing to pyproject.toml. `make compiled` builds in place, `make pure` goes back. A
module belongs here when messages pass through it one by one; nothing but speed depends on it. What is
constant in these modules is `Final`: then it is part of the code, and not looked up by its name.
"""

import os

from setuptools import setup

HOT = (
    "router/wire/packing.py",
    "router/wire/fast.py",
    "router/core/topics.py",
    "router/core/fast_forms.py",
    "router/recording/feed.py",
    "router/runtime/outbox.py",
    "router/runtime/spread.py",
    "router/runtime/exchange.py",
    "router/transports/splitter.py",
)

extensions = []
if os.environ.get("CLASP_COMPILED") == "1":
    from mypyc.build import mypycify

    extensions = mypycify(list(HOT), group_name="router.compiled", debug_level="0")

setup(ext_modules=extensions)
