"""Read a recipe for conda as rattler-build reads it, and say which packages it gives. An unknown field is an error.

Usage: python check_recipe.py RECIPE
"""

import sys
from pathlib import Path

from rattler_build import RenderConfig, Stage0Recipe, VariantConfig


def main(path: Path) -> None:
    """Check one recipe."""
    recipe = Stage0Recipe.from_yaml(path.read_text(encoding="utf-8"))
    for variant in recipe.render(VariantConfig(), RenderConfig()):
        package = variant.recipe.to_dict()["package"]
        print(f"{path.name}: {package['name']} {package['version']}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
