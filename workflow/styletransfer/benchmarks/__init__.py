"""How fast the product is on this machine, beside plain TensorFlow and what the machine could do: for developers."""
