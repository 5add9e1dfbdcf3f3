"""What a run found: tables with every line, losses included, and a summary of each group."""

import statistics

from .contestants import CONTESTANTS
from .runner import OURS

# PyTorch first: the summary compares with it.
AGAINST = "torch"


def summary(lines):
    """Return each group's figures from its lines, as plain data.

    Returns:
        By group: ``lines``; ``failed`` (names); ``mean`` (geometric, of the ratios to PyTorch), ``behind`` (names of
        lines slower than PyTorch), ``worst`` (name and ratio); ``ahead_of_best`` (share of the lines with a peer),
        ``worst_to_best`` (name, ratio, and which peer). None where nothing was compared.
    """
    return {group: _summary_of(members) for group, members in _by_group(lines).items()}


def _summary_of(lines):
    ratios = {line["name"]: line["ratios"][AGAINST] for line in lines if AGAINST in line["ratios"]}
    bests = {line["name"]: best(line) for line in lines if line["ratios"]}
    worst = min(ratios, key=ratios.get, default=None)
    worst_to_best = min(bests, key=lambda name: bests[name][1], default=None)
    return {
        "lines": len(lines),
        "failed": [line["name"] for line in lines if line["failure"]],
        "mean": statistics.geometric_mean(ratios.values()) if ratios else None,
        "behind": [name for name, ratio in ratios.items() if ratio < 1],
        "worst": (worst, ratios[worst]) if ratios else None,
        "ahead_of_best": sum(ratio >= 1 for _, ratio in bests.values()) / len(bests) if bests else None,
        "worst_to_best": (worst_to_best, bests[worst_to_best][1], bests[worst_to_best][0]) if bests else None,
    }


def best(line):
    """Return (name, ratio) of the best peer of a line."""
    return min(line["ratios"].items(), key=lambda pair: pair[1])


def _by_group(lines):
    groups = {}
    for line in lines:
        groups.setdefault(line["group"], []).append(line)
    return groups


# ---------------------------------------------------------------------------------------------------------------------
# Markdown


def markdown(document, titles, goals=()):
    """Return a whole run as Markdown.

    Args:
        document: what the command writes as JSON.
        titles: what each group measures, by its name.
        goals: as `numtensor.bench.goals.checked` returns them.
    """
    parts = ["# numtensor bench", "\n".join(f"- {name}: {value}" for name, value in document["machine"].items())]
    parts.append(
        "Medians of interleaved rounds; `x` columns are the medians of the rounds' ratios of a peer's figure to "
        "numtensor's: above 1 numtensor is ahead, **bold** it is behind."
    )
    parts.append(summary_table(document["summary"]))
    if goals:
        parts += ["## Goals", goals_table(goals)]
    for group, lines in _by_group(document["lines"]).items():
        parts += [f"## {group}: {titles[group]}", table(lines)]
    return "\n\n".join(parts) + "\n"


def summary_table(summaries):
    """Return the summary of every group as a Markdown table."""
    rows = []
    for group, found in summaries.items():
        worst, to_best = found["worst"], found["worst_to_best"]
        rows.append(
            [
                group,
                str(found["lines"]),
                str(len(found["failed"])),
                f"{found['mean']:.2f}" if worst else "",
                str(len(found["behind"])) if worst else "",
                f"{worst[1]:.2f} {worst[0]}" if worst else "",
                f"{found['ahead_of_best']:.0%}" if to_best else "",
                f"{to_best[1]:.2f} {to_best[0]} ({title(to_best[2])})" if to_best else "",
            ]
        )
    peer = title(AGAINST)
    head = ["group", "lines", "failed", f"mean x {peer}", f"behind {peer}", f"worst x {peer}"]
    return _markdown_table([*head, "ahead of the best", "worst x the best"], rows)


def goals_table(goals):
    """Return the goals, what was found, and whether they hold, as a Markdown table."""
    rows = [
        [goal.group, goal.text, goal.limit, f"{value:.3g} {name}".strip(), "yes" if holds else "**no**"]
        for goal, value, name, holds in goals
    ]
    return _markdown_table(["group", "figure", "goal", "found", "holds"], rows)


def table(lines):
    """Return the lines of one group as a Markdown table."""
    names = [name for name in CONTESTANTS if any(name in line["figures"] for line in lines)]
    peers = [name for name in names if any(name in line["ratios"] for line in lines)]
    rows = []
    for line in lines:
        cells = [line["name"]]
        if line["failure"]:
            cells += [f"FAILED: {line['failure']}".replace("|", "/").replace("\n", " ")]
            cells += [""] * (len(names) + len(peers) - 1)
        else:
            cells += [amount(line["figures"][n], line["unit"]) if n in line["figures"] else "" for n in names]
            cells += [_ratio(line["ratios"][n]) if n in line["ratios"] else "" for n in peers]
        rows.append(cells)
    if not names:
        names = [OURS]
    return _markdown_table(["row", *map(title, names), *(f"x {title(n)}" for n in peers)], rows)


def title(name):
    """Return what tables call a contestant."""
    return CONTESTANTS[name].title if name in CONTESTANTS else name


def amount(value, unit):
    """Return a figure with its unit, three digits of it."""
    if unit == "B":
        return f"{_digits(value / 1e6)} MB"
    scale, text = (1e-6, "us") if value < 1e-3 else (1e-3, "ms") if value < 1 else (1, "s")
    return f"{_digits(value / scale)} {text}"


def _digits(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _ratio(value):
    return f"{value:.2f}" if value >= 1 else f"**{value:.2f}**"


def _markdown_table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)
