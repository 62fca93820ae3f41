"""The workflow, for calls in this folder: profiles/default lies beside it."""


include: "workflow/Snakefile"


workflow.default_target = "all"  # what is included brings none
