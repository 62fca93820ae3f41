"""What the runs that one process computes one after another share: the device, networks, traced graphs, targets.

TensorFlow is loaded only after the device has been leased, so what needs it is imported inside functions.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import math
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from styletransfer.devices import lease, precision, tf_setup
from styletransfer.optim import terms
from styletransfer.optim.stylize import Computation, Engine, Pictures, build, recolored, resolve, traits
from styletransfer.runs.inputs import check_weights, made_of, read_pictures
from styletransfer.runs.layout import Run
from styletransfer.settings import Settings
from styletransfer.vgg import formats

if TYPE_CHECKING:
    from styletransfer.optim.losses import Targets
    from styletransfer.optim.pyramid import Pyramid


class Session(contextlib.AbstractContextManager["Session"]):
    """One process on one device, and how it computes runs.

    The device is leased for the first run that has something to compute, and kept: there is one lease and one start of
    TensorFlow, however many runs follow.

    Args:
        device: `auto`, `gpu` or `cpu`, as `lease.lease` has it.
        device_wait: seconds to wait for a device, or for a run that another process computes.
        device_slots: how many processes may share one device.
        threads: of the CPU; default: all cores.
        backend: one of `stylize.BACKEND_CHOICES`.
        steps_per_call: iterations that a device takes without Python; by default as `stylize` has it for the device.
        print_iterations: the losses are reported every `print_iterations` iterations.
        state_seconds: seconds from one state of a run to the next that is kept, for the case that it is killed.
        keep_state: whether it is kept after the run as well; a run of more iterations continues from it.
        attempt: above 1, what failed before for a reason that does not go away is not tried again.
    """

    def __init__(
        self,
        device: str = "auto",
        *,
        device_wait: float = 3600.0,
        device_slots: int = 1,
        threads: int | None = None,
        backend: str = "auto",
        steps_per_call: int | None = None,
        print_iterations: int = 10,
        state_seconds: float = 30.0,
        keep_state: bool = False,
        attempt: int = 1,
    ) -> None:
        self._choice, self.device_wait, self._slots = device, device_wait, device_slots
        self.threads = threads or len(os.sched_getaffinity(0))
        self._backend, self._steps_per_call = backend, steps_per_call
        self.print_iterations = print_iterations
        self.state_seconds, self.keep_state = state_seconds, keep_state
        self.attempt = attempt
        self._leases = contextlib.ExitStack()
        self._device: lease.Device | None = None
        self._engines: dict[tuple[Any, ...], Engine] = {}
        self._measured: dict[str, tuple[Any, Any]] = {}

    def __exit__(self, *_: object) -> None:
        self._leases.close()

    @property
    def device(self) -> lease.Device:
        """The device of this process; it is leased when it is asked for first."""
        if self._device is None:
            self._device = self._leases.enter_context(lease.lease(self._choice, self.device_wait, self._slots))
        return self._device

    def pictures(self, run: Run) -> list[Pictures]:
        """The pictures of each stage of a run, by `read_pictures`. Most runs of a batch are made of the same."""
        key = made_of(run.settings, run.inputs)
        return copy.deepcopy(self._once("pictures", key, [], lambda: read_pictures(run.settings, run.inputs)))

    def begin(self, run: Run, pictures: Sequence[Pictures]) -> tuple[Engine, Computation, Pyramid]:
        """The optimisation of a run at its start, and what computes it. Loads TensorFlow. pictures: of each stage.

        Raises `InputError` for weights that are not the run's, or a precision that the device does not compute in.
        """
        if not self._engines:
            tf_setup.load_tensorflow(self.threads, self.device, self._slots, self._backend)
        how = resolve(run.settings, self._backend, self._steps_per_call)
        # A picture on the way is of the last step of a call.
        every = run.outputs.checkpoint_iterations or how.steps_per_call
        how = how._replace(steps_per_call=math.gcd(how.steps_per_call, every))
        key = (run.inputs.network, traits(run.settings), how)
        if key not in self._engines:
            self._engines[key] = build(formats.load(run.inputs.network), run.settings, how)
        engine = self._engines[key]
        check_weights(run.settings, run.inputs, engine.network.source)
        seen = [recolored(run.settings, of_stage) for of_stage in pictures]

        def targets(stage: int) -> Targets:
            return self._targets(run, engine, how, stage, seen[stage])

        return engine, how, engine.pyramid(run.settings, seen, targets)

    def computed_on(self, how: Computation) -> str:
        """What decides how this process rounds."""
        return precision.computed_on_cpu(self.threads) if how.kind == "cpu" else tf_setup.device_name(how.kind)

    def _targets(self, run: Run, engine: Engine, how: Computation, stage: int, pictures: Pictures) -> Targets:
        """What the image of a stage is compared with. Each backend measures the same."""
        from styletransfer.optim import losses

        settings: Settings = run.settings
        kind = (run.inputs.network, settings.pooling, settings.kernel_layout, how.precision)
        of_content, of_style = tuple(terms.content_shares(settings).items()), tuple(terms.style_shares(settings))
        network, (content, styles, _) = engine.network, pictures
        in_bands = losses.is_large(content)
        return losses.Targets(
            content=self._once(
                f"content {stage}",
                (kind, of_content),
                [content],
                lambda: losses.content_features(network, settings, content),
            ),
            style=self._once(
                f"style {stage}",
                (kind, of_style, in_bands),
                styles,
                lambda: losses.style_grams(network, settings, styles, in_bands),
            ),
        )

    def _once(self, name: str, kind: tuple[Any, ...], pictures: list[np.ndarray], measure: Callable[[], Any]) -> Any:
        """What `measure` returns; or what it returned last, if kind and pixels are the same as then."""
        key = kind, [(picture.shape, hashlib.sha256(picture.tobytes()).digest()) for picture in pictures]
        if name not in self._measured or self._measured[name][0] != key:
            self._measured[name] = key, measure()
        return self._measured[name][1]
