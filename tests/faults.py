"""The table of detectors in docs/guides/faults.md, made from what detectors declare. `python -m tests.faults` writes it."""

from pathlib import Path

from lineset.diagnostics.cases import Detector
from lineset.diagnostics.detectors import DETECTORS

PAGE = Path(__file__).parent.parent / "docs/guides/faults.md"
BEGIN, END = "<!-- detectors -->", "<!-- end of detectors -->"


def section(detector: Detector) -> str:
    """What the guide says of one detector."""
    needs = "; or ".join(" and ".join(f"`{point}`" for point in points) or "any reading" for points in detector.needs) or "what there is"
    rule = " ".join((detector.judge.__doc__ or "").split())
    figures = ", ".join(f"`{name}` {value:g}" for name, value in detector.parameters.items()) or "none"
    return "\n".join(
        [
            f"### {detector.name}",
            "",
            rule,
            "",
            "| | |",
            "|---|---|",
            f"| finds | {', '.join(f'`{fault}`' for fault in detector.faults)} |",
            f"| looks at | {', '.join(sorted(detector.families))} |",
            f"| needs | {needs} |",
            f"| parameters | {figures} |",
            f"| source | {detector.source.replace('|', '/')} |",
            "",
        ]
    )


def table() -> str:
    """All detectors in their order, between the two marks."""
    return "\n".join([BEGIN, "", *(section(detector) for detector in DETECTORS), END])


def written() -> str:
    """What stands in the guide between the two marks, with them."""
    text = PAGE.read_text()
    return text[text.index(BEGIN) : text.index(END) + len(END)]


if __name__ == "__main__":
    PAGE.write_text(PAGE.read_text().replace(written(), table()))
