"""The templates of pages: the report's, and those of packages whose pages look like it."""

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined


def page_environment(package: str | None = None) -> Environment:
    """Make an environment that finds the report's templates, `style.html.j2` among them.

    Args:
        package: where to look for templates first: `my_package.pages`.
    """
    packages = ["adc_core.report"] if package is None else [package, "adc_core.report"]
    return Environment(
        loader=ChoiceLoader([PackageLoader(name, ".") for name in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
