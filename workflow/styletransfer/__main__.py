"""`python -m styletransfer` is the command `styletransfer`."""

from styletransfer.cli import main

if __name__ == "__main__":
    main()
