"""The first study of a photograph and an artwork: a commented config, coarse and small, to look at after minutes."""

from __future__ import annotations

import json

from styletransfer.study.folders import LONGEST_NAME, picture_name

# What it says of values was seen in pictures: config/README.md has the table.
TEMPLATE = """\
# A first look at a photograph in the style of an artwork: ten small pictures, in minutes. Around the defaults one
# setting at a time is varied, in coarse steps. When it is done, look at the contact sheet and the explorer, write what
# you like best under `defaults`, and vary in finer steps around it, or at a larger `width`. What is computed is kept.
# config/README.md explains every key, and has typical values.
study: {study}
weights: {weights}

images:
  {content}: {{path: {content_path}}}
  {style}: {{path: {style_path}}}
pairs: [{{content: {content}, styles: [{style}]}}]
# In place of `images` and `pairs`, all photographs of a folder with all artworks of another:
# pairs: {{contents: photos/*, styles: art/*}}

defaults:
  width: {width}               # small is fast: twice the width takes four times as long
  iterations: 40           # for L-BFGS; Adam wants some hundreds
  optimizer: lbfgs
  initial_noiseblend: 0    # start from the photograph: it stays recognisable. 1: from noise
  pooling: avg             # smoother than max
  content_weight: 5        # only its ratio to style_weight counts: leave it
  style_weight: {style_weight:<11}# higher: more of the artwork, less of the photograph
  style_scales: 1          # higher: larger strokes and shapes
  tv_weight: 1             # higher: smoother, at last blurred

vary:
  style_weight: {style_weights}
  style_scales: [0.5, 1, 2]
  tv_weight: [1, 100]
  colors: [style, content, matched, luminance]    # whose colours the result has

contact_sheet: {{columns: 4}}
"""
# By the weights; those of files are taken for like Keras'.
STYLE_WEIGHTS = {"vgg16": [20, 100, 500, 2500]}
OTHER_STYLE_WEIGHTS = [1, 5, 25, 125]
WIDTH = 256


def first_study(content_path: str, style_path: str, width: int = WIDTH, weights: str = "vgg16") -> str:
    """The text of the config.

    Args:
        content_path: of the photograph.
        style_path: of the artwork.
        width: of the results, in pixels.
        weights: as a config has it.

    """
    content, style = picture_name(content_path), picture_name(style_path)
    if content == style:
        style = f"{style[: LONGEST_NAME - 4]}-art"
    values = STYLE_WEIGHTS.get(weights, OTHER_STYLE_WEIGHTS)
    # JSON is YAML, whatever a file is called.
    texts = {
        **{"study": f"{content[:39]}-{style[:39]}", "weights": weights, "content": content, "style": style},
        **{"content_path": content_path, "style_path": style_path, "style_weights": values},
    }
    quoted = {name: json.dumps(text, ensure_ascii=False) for name, text in texts.items()}
    return TEMPLATE.format(**quoted, width=width, style_weight=values[2])
