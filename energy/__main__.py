"""`python -m energy` is the `energy` command: how the nightly run starts it in a process of its own."""

from energy.cli.app import main

if __name__ == "__main__":
    main()
