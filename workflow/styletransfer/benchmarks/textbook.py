"""The same iteration as a textbook writes it in TensorFlow: one tf.function, a tape, Keras' Adam; float32."""

from __future__ import annotations

import os
from collections.abc import Callable

from styletransfer.benchmarks.measure import Options, pictures
from styletransfer.devices import precision
from styletransfer.vgg import formats


def textbook_step(options: Options) -> Callable[[], object]:
    """One iteration, ready to be called."""
    # What TensorFlow does by itself on a CPU with AVX2, also where a newer one is to be taken for it.
    if precision.usable_instructions() in ("avx2", "avx"):
        os.environ.setdefault(precision.ONEDNN_SWITCH, "0")
    import tensorflow as tf

    source = formats.load(options.weights)
    kernels = {name: (tf.constant(kernel), tf.constant(source.biases[name])) for name, kernel in source.kernels.items()}
    depths = (2, 2, 4, 4, 2)

    def features(x: tf.Tensor) -> dict[str, tf.Tensor]:
        found = {}
        x = x[tf.newaxis, ..., ::-1] if source.channel_order == "BGR" else x[tf.newaxis]
        for block, depth in enumerate(depths, start=1):
            for number in range(1, depth + 1):
                kernel, bias = kernels[f"conv{block}_{number}"]
                x = tf.nn.relu(tf.nn.conv2d(x, kernel, 1, "SAME") + bias)
                found[f"{block}_{number}"] = x
            x = tf.nn.max_pool2d(x, 2, 2, "SAME")
        return found

    def gram(x: tf.Tensor) -> tf.Tensor:
        flat = tf.reshape(x, (-1, x.shape[-1]))
        return tf.matmul(flat, flat, transpose_a=True) / tf.size(flat, tf.float32)

    def mse(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(tf.square(a - b))

    layers = ("1_1", "2_1", "3_1", "4_1", "5_1")
    content, style = (tf.constant(picture - 117.0, tf.float32) for picture in pictures(*options.size))
    P, S = features(content), features(style)
    grams = {layer: gram(S[layer]) for layer in layers}
    image = tf.Variable(tf.random.stateless_normal(content.shape, (0, 0)) * 0.256)
    adam = tf.keras.optimizers.Adam(10.0, epsilon=1e-8)

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            X = features(image)
            loss = 0.2 * mse(X["4_2"], P["4_2"]) + 0.8 * mse(X["5_2"], P["5_2"])
            loss += 10.0 * tf.add_n([mse(gram(X[layer]), grams[layer]) for layer in layers]) / len(layers)
            loss += 100.0 * (mse(image[1:], image[:-1]) + mse(image[:, 1:], image[:, :-1]))
        adam.apply_gradients([(tape.gradient(loss, image), image)])
        return loss

    return lambda: step().numpy()
