"""Figures, drawn from the tables: those of the whole study, or of what there is of it."""


rule contact_sheet:
    """All parameters side by side: a row of pictures for each."""
    input:
        runs=RUNS_TABLE,
        pictures=pictures_of_study,
    output:
        report(
            multiext(f"{FIGURES}/contact_sheet", ".png", ".pdf"),
            caption="../report/contact_sheet.rst",
            category="Pictures",
            labels={"figure": "contact sheet", "study": STUDY.name},
        ),
    log:
        f"{FIGURES}/contact_sheet.log",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    params:
        options=sheet_options,
        pictures=pictures_by_name,
    shell:
        'python "$SCRIPTS/contact_sheet.py" --runs {input.runs:q} --pool results/runs --options {params.options:q}'
        " --pictures {params.pictures:q} --output {output:q} > {log:q} 2>&1"


rule loss_curves:
    """Loss against iteration: a panel for each parameter, a curve for each value."""
    input:
        runs=RUNS_TABLE,
        losses=LOSSES_TABLE,
    output:
        report(
            multiext(f"{FIGURES}/loss_curves", ".png", ".pdf"),
            caption="../report/loss_curves.rst",
            category="Losses",
            labels={"figure": "loss curves", "study": STUDY.name},
        ),
    log:
        f"{FIGURES}/loss_curves.log",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    shell:
        'python "$SCRIPTS/loss_curves.py" --runs {input.runs:q} --losses {input.losses:q} --output {output:q}'
        " > {log:q} 2>&1"


rule device_timeline:
    """Which device was busy with which run, and how well the schedule used them."""
    input:
        runs=RUNS_TABLE,
    output:
        report(
            multiext(f"{FIGURES}/device_timeline", ".png", ".pdf"),
            caption="../report/device_timeline.rst",
            category="Devices",
            labels={"figure": "device timeline", "study": STUDY.name},
        ),
    log:
        f"{FIGURES}/device_timeline.log",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    shell:
        'python "$SCRIPTS/device_timeline.py" --runs {input.runs:q} --output {output:q} > {log:q} 2>&1'


rule pareto:
    """Content loss against style loss of every run, and the runs that no other beats in both."""
    input:
        runs=RUNS_TABLE,
    output:
        report(
            multiext(f"{FIGURES}/pareto", ".png", ".pdf"),
            caption="../report/pareto.rst",
            category="Losses",
            labels={"figure": "content against style", "study": STUDY.name},
        ),
    log:
        f"{FIGURES}/pareto.log",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    shell:
        'python "$SCRIPTS/effects.py" --figure pareto --runs {input.runs:q} --output {output:q} > {log:q} 2>&1'


rule parameter_effects:
    """Every loss against every parameter."""
    input:
        runs=RUNS_TABLE,
    output:
        report(
            multiext(f"{FIGURES}/parameter_effects", ".png", ".pdf"),
            caption="../report/parameter_effects.rst",
            category="Losses",
            labels={"figure": "parameter effects", "study": STUDY.name},
        ),
    log:
        f"{FIGURES}/parameter_effects.log",
    localrule: True
    conda:
        "../../envs/engine.yaml"
    shell:
        'python "$SCRIPTS/effects.py" --figure parameter_effects --runs {input.runs:q} --output {output:q}'
        " > {log:q} 2>&1"
