import click


@click.command()
def score():
    pass
