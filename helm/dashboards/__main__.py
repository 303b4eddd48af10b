"""Writes the dashboards to helm/voyado-operator/files/dashboards/."""

from pathlib import Path

from helm.dashboards.all import dashboards

FOLDER = Path(__file__).parents[1] / "voyado-operator" / "files" / "dashboards"


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in dashboards().items():
        (FOLDER / name).write_text(content)


if __name__ == "__main__":
    main()
