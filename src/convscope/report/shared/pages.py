"""Templates of HTML pages that need no other file, with what is put into them escaped."""

from jinja2 import Environment, PackageLoader, StrictUndefined, Template


def template(name: str) -> Template:
    """A page's template by its path below report/, as it names those that it includes."""
    environment = Environment(
        loader=PackageLoader("convscope.report", package_path=""),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template(name)
