"""The style-transfer engine: what a run is and how it is computed.

The engine knows no workflow: it can be used by hand, through `neural_style.py`, or from any other program. Its
modules are floors of a house; each imports only from floors below (`tests/unit/test_architecture.py` holds them to it):

    around   study, tables, figures,    many runs: designs, tables, pictures of tables, a page to look through them,
             explorer, effects,         what parameters do to the losses; what was computed, from what and with what;
             manifest, crate, live,     a study at work
             dashboard
    run      run, status, checkpoint,   one run, from files to files; how it stands
             trace, progress, transfer
    method   losses, fast, descent,     the paper
             optimize
    network  weights, vgg, winograd     VGG-19
    ground   errors, files, settings,   what the rest stands on
             documents, downloads, devices,
             monitor, images, paintings,
             precision, timeline, ways,
             weighting
"""
