"""How one picture is made in memory: losses, gradients, optimizers, and the loop of steps (Gatys et al. 2015)."""
