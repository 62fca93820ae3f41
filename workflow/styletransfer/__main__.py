"""`python -m styletransfer` is the command `styletransfer`."""

from styletransfer.cli import main

main()
