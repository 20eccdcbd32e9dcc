"""Run the checks in environments of their own, as in ``nox -s tests-3.12``."""

import nox

nox.options.sessions = ["tests", "lint"]
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]


@nox.session(python=PYTHONS)
def tests(session):
    """Run the short suite on one version of Python."""
    session.install("-e", ".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def full(session):
    """Run every test that this machine has the software for, on two cores."""
    session.install("-e", ".[test,peers]", "pytest-xdist>=3.6")
    every = ["-n", "2", "-m", "", "--hypothesis-profile", "full"]
    session.run("pytest", *every, *session.posargs)


@nox.session
def deep(session):
    """Run the tests of networks in PyTorch."""
    session.install("-e", ".[test,torch]")
    session.run("pytest", "-m", "", "tests/deep", *session.posargs)


@nox.session
def coverage(session):
    """Measure which lines the short suite runs; fail below the floor of pyproject."""
    session.install("-e", ".[test]", "coverage[toml]>=7.6")
    session.run("coverage", "run", "-m", "pytest", *session.posargs)
    # The tests of networks in PyTorch are not in the short suite.
    session.run("coverage", "report", "--omit", "skmtl/deep/*")


@nox.session
def lint(session):
    """Check form, spelling and types."""
    session.install("-e", ".[lint]")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("codespell")
    session.run("mypy")


@nox.session
def lowest(session):
    """Run the short suite on the lowest versions that pyproject.toml promises."""
    floors = session.run("python", ".ci/floors.py", silent=True).split()
    extras = session.run(
        "python", ".ci/floors.py", "plot", "cli", "test", silent=True
    ).split()
    session.install("-e", ".", *floors, *extras)
    session.run("pytest")


@nox.session
def docs(session):
    """Build the site; a warning is an error."""
    session.install("-e", ".[docs]")
    session.run("sphinx-build", "-W", "docs", "docs/_build/html")
