"""Print the lowest versions that pyproject.toml promises, as pip requirements.

Without arguments those of the core dependencies, else those of the extras named.
"""

import sys
import tomllib
from itertools import chain
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
extras = project["optional-dependencies"]
chosen = [extras[name] for name in sys.argv[1:]] or [project["dependencies"]]
for requirement in chain.from_iterable(chosen):
    name, at_least, version = requirement.partition(">=")
    if at_least:  # else one extra naming another
        print(f"{name}=={version}.*")
