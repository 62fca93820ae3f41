"""What the response model found, in its file, in words and in its figure."""

import json

import pandas as pd
import pytest

from helpers import planted
from styletransfer import cli
from styletransfer.analysis.response import Curve, Effect, Response, Share, response, responses
from styletransfer.errors import InputError
from styletransfer.results import responses as module
from styletransfer.results import tables


@pytest.fixture(scope="module")
def scattered():
    """Two that act together reach the style; the content is noise."""
    runs, _ = planted.two_act(0)
    return _table(runs, planted.nothing_acts(0)["style_reached"])


@pytest.fixture(scope="module")
def star():
    runs = planted.star()
    return _table(runs, 1 - runs["style_reached"])


@pytest.fixture(scope="module")
def of_star(star):
    return responses(star)


def _table(runs, content_kept):
    return runs.assign(study="s", parameter="", content_kept=content_kept)


@pytest.fixture(scope="module")
def file(scattered, tmp_path_factory):
    path = tmp_path_factory.mktemp("found") / "response.json"
    module.write(path, "s", responses(scattered))
    return path


def test_the_file_holds_what_was_found(file, scattered):
    style, content = module.read(file)
    (found,) = responses(scattered, [measure for measure in module.MEASURES if measure.name == "style_reached"])
    assert (style["measure"], style["title"], style["runs"]) == ("style_reached", "style reached", 64)
    assert style["predicts"] == pytest.approx(found.predicts, rel=1e-3)
    assert [effect["parameter"] for effect in style["effects"]] == [effect.parameter for effect in found.effects]
    assert style["effects"][0]["total"]["low"] == pytest.approx(found.effects[0].total.low, rel=1e-3)
    assert style["sentences"] == module.sentences(found)
    assert content["reason"]


@pytest.mark.parametrize("how", ["cut", "changed", "another", "newer", "gone"])
def test_a_damaged_file_is_refused(file, tmp_path, how):
    text = file.read_text()
    newer = {"format": module.FORMAT, "version": 2, "measures": []}
    newer["sha256"] = module._checksum(newer)
    damaged = {
        "cut": text[:-100],
        "changed": text.replace('"runs": 64', '"runs": 65'),
        "another": "[1]",
        "newer": json.dumps(newer),
    }
    path = tmp_path / "response.json"
    if how in damaged:
        path.write_text(damaged[how])
    with pytest.raises(InputError if how in damaged else FileNotFoundError, match=r"response\.json"):
        module.read(path)


def test_it_is_said_what_matters_and_what_acts_together(file):
    style, content = (found["sentences"] for found in module.read(file))
    assert style[0].startswith("The model rests on 64 runs and predicts 9")
    assert [sentence.split(":")[0] for sentence in style[1:4]] == [
        "`style_scales` matters",
        "`learning_rate` matters",
        "`style_scales` and `learning_rate` act together",
    ]
    assert "62 runs vary both" in style[3]
    assert len(content) == 1
    assert content[0].startswith("Undecided: the model predicts")


def test_it_is_said_that_a_star_cannot_tell_of_two(of_star):
    told = module.sentences(of_star[0])
    assert "cannot be told" in told[-1]
    assert not any("act together:" in sentence for sentence in told)


def test_it_is_said_which_pairs_of_many_cannot_be_told():
    runs, _ = planted.two_act(0)
    runs["pooling"] = ["max", "avg", "avg"] + ["avg"] * 61
    found = response(runs, module.MEASURES[0])
    told = module.sentences(found)[-1]
    assert told.startswith("Cannot be told, as too few runs vary both:")
    assert told.count("pooling") == 6


def test_words_and_pictures_have_their_own_sentences():
    runs = pd.concat([planted.star(), planted.star().assign(pair="c x d")], ignore_index=True)
    runs["pooling"] = ["max", "avg"] * (len(runs) // 2)
    first = runs["pair"].eq("a x b")
    runs["style_reached"] = runs["pooling"].eq("max").where(first, runs["pooling"].eq("avg")).astype(float)
    runs["style_reached"] += 0.5 * runs["pooling"].eq("max") + 0.01 * runs["content_weight_blend"]
    told = " ".join(module.sentences(response(runs, module.MEASURES[0])))
    assert "`pooling` matters:" in told
    assert "with max and" in told
    assert "`pooling` does not do the same to all pictures:" in told


def test_undecided_shares_are_told_so_that_2_percent_is_seen_between_them():
    curve = Curve((1.0, 2.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0))
    shares = {"style_scales": (0.0196, 0.061), "tv_weight": (0.003, 0.0201), "pooling": (0.0, 0.12)}
    effects = tuple(
        Effect(name, "log", Share(0.02, *span), Share(0.0, 0.0, 0.0), "undecided", curve)
        for name, span in shares.items()
    )
    assert module.sentences(Response("style_reached", 30, 0.8, "", effects=effects))[1] == (
        "Undecided: `style_scales` may have 1.9 to 6.1 % of the variance, `tv_weight` 0.3 to 2.1 % and `pooling` "
        "0 to 12 %. With more than 2 % a parameter matters."
    )


def test_without_a_model_the_reason_is_said():
    assert module.sentences(Response("style_reached", 3, None, "3 runs are too few")) == [
        "Undecided: 3 runs are too few."
    ]


def test_the_command_writes_it(scattered, tmp_path, capsys):
    tables.write(tmp_path / "runs.parquet", scattered)
    paths = ["--runs", str(tmp_path / "runs.parquet"), "--output", str(tmp_path / "response.json")]
    assert cli.run(["response", *paths]) == 0
    assert "`style_scales` matters" in capsys.readouterr().out
    assert len(module.read(tmp_path / "response.json")) == 2
    (tmp_path / "runs.parquet").write_bytes(b"damaged")
    assert cli.run(["response", *paths]) == 2


def test_the_figure_has_a_block_for_each_measure(file, star, of_star, scattered, tmp_path):
    from styletransfer.reports.figures import response as figures
    from styletransfer.reports.figures.style import save

    found = module.read(file)
    figure = figures.response(scattered, found)
    words = [text.get_text() for text in figure.findobj(lambda part: hasattr(part, "get_text"))]
    assert words.count("matters") == 2
    assert words.count("undecided") >= 6
    share = next(pair["share"] for pair in found[0]["pairs"] if pair["verdict"] == "act together")
    assert sum(word.startswith(f"{100 * share['value']:.0f} %\n") for word in words) >= 1
    module.write(tmp_path / "star.json", "s", of_star)
    drawn = figures.response(star, module.read(tmp_path / "star.json"))
    words = [text.get_text() for text in drawn.findobj(lambda part: hasattr(part, "get_text"))]
    assert words.count(figures.UNTOLD) == 2 * 15
    save(drawn, [tmp_path / "star.png"])


def test_without_a_model_the_figure_says_why(scattered, tmp_path):
    from styletransfer.reports.figures import response as figures

    module.write(tmp_path / "response.json", "s", responses(scattered.iloc[:3]))
    figure = figures.response(scattered, module.read(tmp_path / "response.json"))
    assert "3 runs are too few" in figure.texts[0].get_text()
    assert figures.response(scattered, []).texts
