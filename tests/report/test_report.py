"""The report says what was found, needs no other file, and is laid out by a browser."""

import json
import re
import shutil
import subprocess
from base64 import b64decode
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from cases import parametrize
from sklearn.preprocessing import StandardScaler

pytest.importorskip("pandas", reason="pandas is not installed")
image = pytest.importorskip("matplotlib.image", reason="matplotlib is not installed")

from skmtl.compose import make_task_pipeline  # noqa: E402
from skmtl.datasets import make_related_tasks  # noqa: E402
from skmtl.inspection import compare_tasks  # noqa: E402
from skmtl.linear_model import (  # noqa: E402
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    MultiTaskRidgeCV,
)
from skmtl.report import CentreView, Report, draw_models, view_centre  # noqa: E402
from skmtl.report._figures import (  # noqa: E402
    BLUE,
    GREY,
    ORANGE,
    plot_gains,
    report_style,
)

VOID = {"meta", "img", "br"}


def make_report(n_tasks, n_samples=12, names=None, odd=0):
    """Compare two models on generated tasks, some of them unlike the others."""
    X, y = make_related_tasks(
        n_tasks, n_samples, 4, as_frame=True, task_names=names, random_state=0
    )
    unlike = X["task"].isin(X["task"].drop_duplicates()[:odd])
    y = y.where(~unlike, -9 * X["x0"])
    models = {
        "independent": make_task_pipeline(
            StandardScaler(), MultiTaskRidgeCV(), task_column="task"
        ),
        "mean": make_task_pipeline(
            StandardScaler(), MeanRegularizedRegressorCV(), task_column="task"
        ),
    }
    comparison = compare_tasks(models, X, y, cv=3, metric="rmse", random_state=0)
    view = view_centre(models["mean"].fit(X, y), X, y)
    facts = {"Data": "generated <tasks> & rows"}
    return Report("One & <two>", comparison, view, facts, command="skmtl 'a b'")


@pytest.fixture(scope="module")
def few():
    return make_report(6, n_samples=[6, 8, 10, 20, 30, 40])


@pytest.fixture(scope="module")
def many():
    return make_report(40, n_samples=30, odd=2)


@pytest.fixture(scope="module")
def pages(few, many):
    """Return the pages of both reports; to draw them takes long."""
    return {"few": few.to_html(), "many": many.to_html()}


@pytest.fixture
def undrawn(monkeypatch):
    """Leave the pictures of a page empty, which takes less than to draw them."""
    monkeypatch.setattr(
        "matplotlib.figure.Figure.savefig", lambda *args, **options: None
    )


each_report = pytest.mark.parametrize("name", ["few", "many"])


class Page(HTMLParser):
    """Collect the tags and the words of a page, and check that tags close."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.words, self.open = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.open += [tag] * (tag not in VOID)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def find(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self):
        return " ".join("".join(self.words).split())


@each_report
def test_the_page_is_well_formed(name, pages):
    page = Page(pages[name])
    assert page.open == []


@each_report
def test_the_page_needs_no_other_file(name, pages):
    html = pages[name]
    links = re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?([^"')\s>]+)""", html)
    assert len(links) == 3
    assert all(link.startswith("data:image/svg+xml;base64,") for link in links)


@each_report
def test_pictures_and_headings_have_words(name, pages):
    page = Page(pages[name])
    assert page.find("html") == [{"lang": "en"}]
    assert all(len(each["alt"]) > 40 for each in page.find("img"))
    headings = [tag for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert headings == ["h1"] + ["h2"] * 6
    assert page.find("meta")[1]["name"] == "viewport"


def test_what_was_found_is_said(few, pages):
    text = Page(pages["few"]).text
    assert few.comparison.recommendation in text
    assert f"{few.comparison.errors[0]:#.4g}" in text
    assert "Table of all 6 tasks" in text
    assert "skmtl 'a b'" in text
    assert "generated <tasks> & rows" in text


def test_tasks_that_are_hurt_are_named(many, pages):
    hurt = [str(task) for task in many.comparison.hurt()]
    assert len(hurt) == 2
    assert f"Hurt by mean: {', '.join(hurt)}." in Page(pages["many"]).text


def test_losses_beyond_the_picture_are_counted(pages):
    assert "2 drawn at -100 % are lower than that" in Page(pages["many"]).text


@pytest.mark.usefixtures("undrawn")
@parametrize("factor", [0.5, 1.5, 3.0], short=[1.5])
@pytest.mark.parametrize(("sign", "words"), [(1, "not"), (-1, "help")])
def test_the_verdict_is_as_sure_as_the_numbers(few, sign, words, factor):
    noise = np.array([-1.0, 0.0, 1.0])
    errors = np.array([[5.0] * 3, 5 + 0.1 * noise])
    flat = replace(few.comparison, fold_errors=errors)
    errors[1] += sign * factor * flat.standard_errors[1]
    text = Page(replace(few, comparison=flat).to_html()).text
    verdicts = {
        (1, 0.5): "No clear difference",
        (1, 1.5): "Sharing seems not to help",
        (1, 3.0): "Sharing does not help",
        (-1, 0.5): "No clear difference",
        (-1, 1.5): "Sharing seems to help",
        (-1, 3.0): "Sharing helps",
    }
    assert verdicts[sign, factor] in text


@pytest.mark.usefixtures("undrawn")
def test_a_gain_that_is_not_due_to_sharing_is_that_of_a_model(few):
    errors = np.array([[9.0, 9.1, 9.0], [5.0, 5.0, 5.0]])
    changes = {"fold_errors": errors, "differs_by_sharing": (False, False)}
    report = replace(few, comparison=replace(few.comparison, **changes))
    text = Page(report.to_html()).text
    assert f"{report.comparison.models[1]!r} predicts better" in text
    assert "Sharing" not in text


@pytest.mark.full
def test_the_same_input_gives_the_same_page(few, pages):
    assert few.to_html() == pages["few"]


@pytest.mark.full
def test_names_of_any_kind_can_be_drawn():
    names = ["$x_1$ & <b>", "a_b^c", "校", "\\frac", "%d {0}", "e" * 99]
    report = make_report(6, names=names)
    page = Page(report.to_html())
    assert page.open == []
    assert "$x_1$ & <b>" in page.text
    picture = b64decode(page.find("img")[0]["src"].partition(",")[2]).decode()
    picture = re.sub("<!--.*?-->", "", picture, flags=re.DOTALL)
    assert all(escape(name, quote=False) in picture for name in names[:5])


@pytest.mark.full
def test_control_characters_leave_page_and_pictures_well_formed():
    names = ["\x1b[31m", "a\x00b", "\u202egpj", "\x9b", "c\nd", "\uffff"]
    report = make_report(6, names=names)
    view = replace(report.view, features=("\x1b", "\x08", "\ud800", "\x7f"))
    page = Page(replace(report, view=view, command="skmtl \ud800").to_html())
    assert page.open == []
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800]", page.text)
    for each in page.find("img"):
        picture = ElementTree.fromstring(b64decode(each["src"].partition(",")[2]))
        words = "".join(picture.itertext())
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800]", words)
    assert "\\x1b[31m" in page.text


@pytest.mark.full
def test_bars_of_tasks_that_are_hurt_have_a_colour_of_their_own():
    from matplotlib.colors import to_hex

    report = make_report(8, n_samples=40, odd=1)
    (hurt,) = report.comparison.hurt("mean")
    with report_style():
        bars = plot_gains(report.comparison, "mean").axes[0].patches
        labels = plot_gains(report.comparison, "mean").axes[0].get_yticklabels()
    colours = {
        label.get_text().split()[0]: to_hex(bar.get_facecolor())
        for label, bar in zip(labels, bars, strict=True)
    }
    assert colours.pop(str(hurt)) == ORANGE
    assert set(colours.values()) <= {BLUE, GREY}
    assert BLUE in colours.values()


@pytest.mark.full
def test_tasks_that_do_not_differ_can_be_drawn(few):
    alike = np.tile(few.view.coef_shared, (6, 1))
    view = replace(few.view, coef=alike, alpha=np.inf)
    assert "alpha = infinite" in Page(replace(few, view=view).to_html()).text


@pytest.mark.full
def test_many_features_are_cut(few):
    view = CentreView(
        features=tuple(f"feature {j}" for j in range(30)),
        n_rows=np.full(3, 5),
        coef=np.ones((3, 30)),
        coef_shared=np.ones(30),
        alpha=1.0,
        alphas=np.array([1.0, 10.0]),
        path=np.ones((2, 3, 30)),
    )
    assert "Not shown: 15" in Page(replace(few, view=view).to_html()).text


@pytest.mark.full
def test_the_users_style_of_pictures_is_left_alone(few):
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    few.to_html()
    assert dict(mpl.rcParams) == before


def test_the_text_has_a_line_per_model(few):
    lines = draw_models(few.comparison).splitlines()
    assert [line.split()[0] for line in lines] == ["model", "independent", "mean"]
    assert [" * " in line for line in lines].count(True) == 1


def test_the_path_goes_through_the_models_of_each_strength():
    X, y = make_related_tasks(4, 9, 3, as_frame=True, random_state=0)
    model = make_task_pipeline(
        StandardScaler(), MeanRegularizedRegressorCV(), task_column="task"
    ).fit(X, y)
    view = view_centre(model, X, y)
    nearest = np.abs(np.log(view.alphas / min(model[-1].alpha_, 1e12))).argmin()
    scaled = model[:-1].transform(X)
    one = MeanRegularizedRegressor(view.alphas[nearest], task_column="task")
    one.set_params(alpha_shared=model[-1].alpha_shared_)
    one.set_params(alpha_intercept=min(model[-1].alpha_intercept_, 1e12))
    # the intercepts are pulled together by up to 1e12
    coef = one.fit(scaled, y).coef_
    np.testing.assert_allclose(view.path[nearest], coef, rtol=1e-6, atol=1e-9)
    assert view.features == ("x0", "x1", "x2")
    assert view.n_rows.tolist() == [9, 9, 9, 9]


def browse(tmp_path, page, *flags):
    """Open a page in headless Chromium."""
    browser = shutil.which("chromium")
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    return subprocess.run(
        [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--hide-scrollbars",
            f"--user-data-dir={tmp_path / 'profile'}",
            *flags,
            (tmp_path / "page.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout


PROBE = """<!DOCTYPE html><meta charset="utf-8">
<iframe srcdoc="{page}" style="border:0;width:{width}px;height:800px"></iframe>
<pre></pre>
<script>
document.querySelector("iframe").onload = (event) => {{
  const page = event.target.contentDocument, root = page.documentElement;
  const width = (each) => each.getBoundingClientRect().width;
  document.querySelector("pre").textContent = JSON.stringify({{
    client: root.clientWidth, scroll: root.scrollWidth, height: root.scrollHeight,
    drawn: [...page.images].map((each) => each.naturalWidth),
    shown: [...page.images].map(width),
    size: parseFloat(getComputedStyle(page.body).fontSize),
    verdict: page.querySelector(".verdict strong").innerText,
  }});
}};
</script>"""

in_browser = pytest.mark.skipif(
    shutil.which("chromium") is None, reason="chromium is not installed"
)


@pytest.mark.browser
@in_browser
@each_report
@pytest.mark.parametrize("width", [360, 1280])
def test_a_browser_lays_the_page_out(tmp_path, request, name, width):
    report = request.getfixturevalue(name)
    probe = PROBE.format(page=escape(report.to_html()), width=width)
    flags = ["--window-size=1400,900", "--virtual-time-budget=10000", "--dump-dom"]
    dom = browse(tmp_path, probe, *flags)
    (found,) = re.findall(r"<pre>(.*?)</pre>", dom)
    found = json.loads(found)
    assert found["client"] == found["scroll"] == width
    assert found["height"] > 1500
    assert len(found["drawn"]) == 3
    assert min(found["drawn"]) > 300
    assert min(found["shown"]) > 300
    assert found["size"] >= 16
    assert "haring" in found["verdict"] or "difference" in found["verdict"]


@pytest.mark.browser
@in_browser
@each_report
def test_a_browser_draws_the_page(tmp_path, request, name):
    path = tmp_path / "page.png"
    flags = ["--window-size=1000,3000", f"--screenshot={path}"]
    browse(tmp_path, request.getfixturevalue(name).to_html(), *flags)
    pixels = image.imread(path)[..., :3]
    assert pixels.shape[:2] == (3000, 1000)
    bands = pixels.reshape(10, 300, 1000, 3).std(axis=(1, 2, 3))
    assert (bands > 0.01).sum() >= 7
    blue = (pixels[..., 2] - pixels[..., 0] > 0.3).sum()
    assert blue > 500
