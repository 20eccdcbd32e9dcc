"""The report says what was found, needs no other file, and is laid out by a browser."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from cases import parametrize
from sklearn.preprocessing import StandardScaler

pytest.importorskip("pandas", reason="pandas is not installed")

from skmtl.compose import make_task_pipeline
from skmtl.datasets import make_related_tasks
from skmtl.inspection import compare_tasks, default_models
from skmtl.linear_model import (
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    MultiTaskRidgeCV,
)
from skmtl.report import CentreView, Report, draw_models, view_centre
from skmtl.report._svg import Scale, write_number

VOID = {"meta", "br", "input"}


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
    """Return the pages of both reports."""
    return {"few": few.to_html(), "many": many.to_html()}


def pictures(page):
    """Return the plots of a page as trees of elements."""
    found = re.findall("<svg.*?</svg>", page, flags=re.DOTALL)
    return [ElementTree.fromstring(each) for each in found]


def read_data(page):
    """Return the cells of the table of all tasks, which the script draws."""
    (data,) = re.findall(r'<script type="application/json">(.*?)</script>', page)
    return json.loads(data)[0]


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
    assert not re.search(r"""(?:src|href|url|import)\s*[=(]\s*["']?[^"')\s>]+""", html)


@each_report
def test_pictures_and_headings_have_words(name, pages):
    page = Page(pages[name])
    assert page.find("html") == [{"lang": "en"}]
    assert len(page.find("svg")) == 6
    assert all(len(each["aria-label"]) > 40 for each in page.find("svg"))
    assert all(each["role"] == "img" for each in page.find("svg"))
    headings = [tag for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert headings == ["h1"] + ["h2"] * 9
    names = [each.get("name") for each in page.find("meta")]
    assert names == [None, "viewport", "color-scheme"]


def test_what_was_found_is_said(few, pages):
    text = Page(pages["few"]).text
    assert few.comparison.recommendation in text
    assert f"{few.comparison.errors[0]:#.4g}" in text
    assert "RMSE of all 6 tasks" in text
    assert "skmtl 'a b'" in text
    assert "generated <tasks> & rows" in text


def test_tasks_that_are_hurt_are_named(many, pages):
    hurt = [str(task) for task in many.comparison.hurt()]
    assert len(hurt) == 2
    assert f"Hurt by mean: {', '.join(hurt)}." in Page(pages["many"]).text


def test_losses_beyond_the_picture_are_counted(pages):
    assert "2 drawn at -100 % are lower than that" in Page(pages["many"]).text


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
    page = make_report(6, names=names).to_html()
    assert Page(page).open == []
    picture = pictures(page)[0]
    words = [each.text for each in picture.iter() if each.tag.endswith("text")]
    assert set(names[:5]) < set(words)
    assert "e" * 23 + "…" in words
    assert set(names) == {row[0] for row in read_data(page)}


@pytest.mark.full
def test_control_characters_leave_page_and_pictures_well_formed():
    names = ["\x1b[31m", "a\x00b", "\u202egpj", "\x9b", "c\nd", "\uffff"]
    report = make_report(6, names=names)
    view = replace(report.view, features=("\x1b", "\x08", "\ud800", "\x7f"))
    html = replace(report, view=view, command="skmtl \ud800").to_html()
    page = Page(html)
    assert page.open == []
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800]", page.text)
    for picture in pictures(html):
        words = "".join(picture.itertext())
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800]", words)
    assert "\\x1b[31m" in page.text


@pytest.mark.full
def test_bars_of_tasks_that_are_hurt_have_a_colour_of_their_own():
    report = make_report(8, n_samples=40, odd=1)
    (hurt,) = report.comparison.hurt("mean")
    bars = [each for each in pictures(report.to_html())[0].iter() if "rect" in each.tag]
    colours = {bar[0].text.partition(":")[0]: bar.get("class") for bar in bars}
    assert colours.pop(str(hurt)) == "orange"
    assert set(colours.values()) <= {"blue", "grey"}
    assert "blue" in colours.values()


@pytest.mark.full
def test_tasks_that_do_not_differ_can_be_drawn(few):
    alike = np.tile(few.view.coef_shared, (6, 1))
    view = replace(few.view, coef=alike, alpha=np.inf)
    assert "alpha = infinite" in Page(replace(few, view=view).to_html()).text


@pytest.mark.full
def test_many_features_are_cut(few):
    view = CentreView(
        features=tuple(f"feature {j}" for j in range(30)),
        tasks=np.arange(3),
        n_rows=np.full(3, 5),
        coef=np.ones((3, 30)),
        coef_shared=np.ones(30),
        alpha=1.0,
        alphas=np.array([1.0, 10.0]),
        path=np.ones((2, 3, 30)),
    )
    assert "Not shown: 15" in Page(replace(few, view=view).to_html()).text


def test_all_tasks_are_in_the_table_those_with_most_evidence_of_harm_first(many, pages):
    rows = read_data(pages["many"])
    frame = many.comparison.tasks_frame("mean")
    assert [row[0] for row in rows] == frame.index.astype(str).tolist()
    assert [row[-1] == "hurt" for row in rows] == frame["hurt"].tolist()
    assert len(Page(pages["many"]).find("tr")) == 2 + 1 + 1 + 20


def test_levels_are_means_of_targets_and_of_predictions(few, pages):
    comparison = few.comparison
    model = comparison.recommended
    picture = pictures(pages["few"])[1]
    titles = [each.text for each in picture.iter() if each.tag.endswith("title")]
    for t, task in enumerate(comparison.tasks):
        rows = comparison.codes == t
        observed = comparison.targets[rows].mean()
        predicted = comparison.predict_targets(model)[rows].mean()
        words = f"{task}: observed {observed:.4g}, predicted {predicted:.4g}"
        assert f"{words}, {rows.sum()} rows" in titles


@pytest.mark.full
@pytest.mark.parametrize("kind", ["classes", "counts"])
def test_classes_and_counts_have_levels_and_their_own_quality(kind):
    X, y = make_related_tasks(4, 30, 2, as_frame=True, random_state=0)
    target = y > y.median() if kind == "classes" else y.clip(0, 8).round()
    metric = "log_loss" if kind == "classes" else "poisson_deviance"
    options = {"task_column": "task", "cv": 2, "random_state": 0}
    models = default_models("task", kind=kind)
    models = {name: models[name] for name in ("independent", "pooled")}
    found = compare_tasks(models, X, target, metric=metric, **options)
    page = Report("Title", found, None, {}, target="won").to_html()
    text = Page(page).text
    assert "How do the tasks differ in level?" in text
    assert ("calibration" in page.lower()) == (kind == "classes")
    assert ("Which tasks are predicted worst?" in text) == (kind == "counts")
    rate = target.groupby(X["task"]).mean()
    tips = [each.text for each in pictures(page)[1].iter() if "title" in each.tag]
    for task, value in rate.items():
        assert any(tip.startswith(f"{task}: observed {value:.4g},") for tip in tips)


def test_columns_and_code_are_shown_as_they_are(few):
    columns = [
        {"column": "<a>", "read as": "number"},
        {"column": "b", "read as": "date"},
    ]
    usage = {"In Python:": "one()\n  two(<3)"}
    page = replace(few, columns=columns, usage=usage).to_html()
    assert "one()\n  two(&lt;3)" in page
    assert '<th scope="row">&lt;a&gt;</th><td>number</td>' in page


def test_ticks_are_round_numbers_between_the_ends():
    assert Scale(-0.3, 1.1, 0, 1).ticks() == [0.0, 0.5, 1.0]
    assert Scale(0.02, 3e4, 0, 1, is_log=True).ticks() == [0.1, 10.0, 1000.0]
    assert Scale(2.0, 2.0, 0, 1).ticks() == [2.0]
    assert [write_number(x) for x in (-0.0, 1234.0, -0.5, 1e7)] == [
        *("0", "1,234", "\N{MINUS SIGN}0.5", "1e+07")
    ]


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
    shown: [...page.querySelectorAll("svg")].map(width),
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
    assert len(found["shown"]) == 6
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
    image = pytest.importorskip("matplotlib.image", reason="needs matplotlib")
    pixels = image.imread(path)[..., :3]
    assert pixels.shape[:2] == (3000, 1000)
    bands = pixels.reshape(10, 300, 1000, 3).std(axis=(1, 2, 3))
    assert (bands > 0.01).sum() >= 7
    blue = (pixels[..., 2] - pixels[..., 0] > 0.3).sum()
    assert blue > 500


CLICKS = """<!DOCTYPE html><meta charset="utf-8">
<iframe srcdoc="{page}" style="border:0;width:1000px;height:800px"></iframe>
<pre></pre>
<script>
document.querySelector("iframe").onload = (event) => {{
  const page = event.target.contentDocument, box = page.querySelector(".tasks");
  const names = () => [...box.querySelectorAll("tbody th")].map((th) => th.textContent);
  const [task, rows] = box.querySelectorAll("th button");
  const input = box.querySelector("input");
  const next = box.querySelectorAll(".pages button")[1];
  const found = {{}};
  task.click(); found.up = names();
  next.click(); found.next = names();
  task.click(); found.down = names();
  found.sort = task.parentNode.getAttribute("aria-sort");
  input.value = "1"; input.dispatchEvent(new Event("input")); found.search = names();
  found.count = box.querySelector(".count").textContent;
  input.value = "zz"; input.dispatchEvent(new Event("input")); found.none = names();
  document.querySelector("pre").textContent = JSON.stringify(found);
}};
</script>"""


@pytest.mark.browser
@in_browser
def test_a_browser_sorts_and_searches_the_tasks(tmp_path, many):
    probe = CLICKS.format(page=escape(many.to_html()))
    flags = ["--virtual-time-budget=10000", "--dump-dom"]
    (found,) = re.findall(r"<pre>(.*?)</pre>", browse(tmp_path, probe, *flags))
    found = json.loads(found)
    tasks = sorted(many.comparison.tasks.tolist())
    assert found["up"] == [str(task) for task in tasks[:20]]
    assert found["next"] == [str(task) for task in tasks[20:]]
    assert found["down"] == [str(task) for task in tasks[::-1][:20]]
    assert found["sort"] == "descending"
    ones = [str(task) for task in tasks[::-1] if "1" in str(task)]
    assert found["search"] == ones
    assert found["count"] == f"{len(ones)} of 40 tasks"
    assert found["none"] == []
