"""`python -m lineset`."""

from lineset.cli import app

if __name__ == "__main__":
    app()
