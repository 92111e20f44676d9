#!/usr/bin/env python3
"""Do the links of all Markdown files lead anywhere?

    python3 .ci/check_links.py

Checks links to files and folders of the repository, with the headings behind `#`, and links to articles of the DocC catalog.
"""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")
ARTICLE = re.compile(r"<doc:([^>]+)>")


def anchors(file: Path) -> set[str]:
    """The headings of a Markdown file as GitHub links to them."""
    headings = re.findall(r"^#+ +(.*)$", file.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def faults(file: Path) -> list[str]:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", file.read_text(), flags=re.DOTALL)
    found = []
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = unquote(link).partition("#")
        target = (file.parent / name).resolve() if name else file
        if not target.exists():
            found.append(f"{link}: no such file")
        elif anchor and anchor not in anchors(target):
            found.append(f"{link}: no such heading")
    found += [f"<doc:{name}>: no such article" for name in ARTICLE.findall(text)
              if not (file.parent / f"{name}.md").exists()]
    return found


def main() -> None:
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, check=True,
                            capture_output=True, text=True)
    lines = [f"{name}: {fault}" for name in listed.stdout.splitlines() for fault in faults(ROOT / name)]
    print("\n".join(lines) if lines else "all links lead somewhere")
    sys.exit(1 if lines else 0)


if __name__ == "__main__":
    main()
