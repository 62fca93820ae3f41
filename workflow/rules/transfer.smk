"""The runs: one style transfer, one job, one device; or several in turn in one job, where starting jobs is expensive."""

if config["runs_per_job"] == 1:

    rule transfer:
        """One style transfer. Its settings are in its name, so its inputs never make it out of date."""
        input:
            weights=ancient(network),
            content=ancient(content_picture),
            styles=ancient(style_pictures),
            initial=ancient(initial_picture),
        # `update`: a result that is there is not removed when its job starts again; the job finds it and keeps it.
        output:
            **{name: update(path) for name, path in OUTPUTS.items()},
        log:
            "results/runs/{run_id}/transfer.log",
        benchmark:
            "results/runs/{run_id}/benchmark.tsv"
        priority: 10
        # A run that was killed is tried once more; one that diverges is a result and does not fail. Only the Snakemake
        # that was started tries again: a cluster job starts two more, and each would.
        retries: 1 if workflow.is_main_process else 0
        conda:
            ENVIRONMENT
        threads: config["threads"]
        resources:
            gpu=1 if DEVICE == "gpu" else 0,
            runtime=minutes(1),
        params:
            settings=settings_of,
        shell:
            'python "$SCRIPTS/neural_style.py" --settings {params.settings:q} --content {input.content:q}'
            " --styles {input.styles:q} --initial {input.initial:q} --network {input.weights:q} --once"
            " --output {output.image:q} --preserved-output {output.preserved:q} --losses {output.losses:q}"
            " --record {output.record:q} --device $DEVICE --device-slots $DEVICE_SLOTS --threads {threads} --path $COMPUTE_PATH"
            " --print-iterations $PRINT_ITERATIONS $STATE > {log:q} 2>&1"

else:

    for number, batch in batches().items():

        rule:
            name:
                f"transfer_{number}"
            input:
                weights=ancient(f"resources/weights/{NETWORK}.safetensors"),
                pictures=ancient(batch_pictures(batch)),
            output:
                batch_outputs(batch),
            log:
                f"{TABLES}/packs/{number}.log",
            benchmark:
                f"{TABLES}/packs/{number}.tsv"
            priority: 10
            retries: 1 if workflow.is_main_process else 0
            conda:
                ENVIRONMENT
            threads: config["threads"]
            resources:
                gpu=1 if DEVICE == "gpu" else 0,
                runtime=minutes(len(batch)),
            params:
                common=common_of(batch),
                runs=runs_of(batch),
            shell:
                'python "$SCRIPTS/transfer_pack.py" --common {params.common:q} --runs {params.runs:q}'
                " --pool results/runs --network {input.weights:q}"
                " --device $DEVICE --device-slots $DEVICE_SLOTS --threads {threads} --path $COMPUTE_PATH"
                " --print-iterations $PRINT_ITERATIONS $STATE > {log:q} 2>&1"
