"""One style transfer, with the options of the reference program: the command `styletransfer transfer`."""

from styletransfer.cli.transfer import neural_style

neural_style()
