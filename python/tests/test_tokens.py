"""Verification of drafted tokens."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import diffspec

PROGRAM = Path(__file__).resolve().parents[2] / ".build/release/diffspec"
RULES = ("specinfer", "naive", "kseq", "importance", "importance-truncated", "importance-vocabulary", "hybrid",
         "global-resolution", "max-flow", "lp")
RNG = np.random.default_rng(5)
TARGET, DRAFT = 1.5 * RNG.normal(size=(2, 6))


def softmax(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


@pytest.mark.parametrize("rule", RULES)
def test_tokens_have_the_targets_law(rule):
    """Pearson's χ² of 4,000 tokens: five degrees of freedom, p = 1e-6 at 36."""
    count, drafts = 4000, RNG.choice(6, size=(4000, 2), p=softmax(DRAFT))
    found = [diffspec.couple(TARGET, DRAFT, drafts[i], rule=rule, seed=3, position=i) for i in range(count)]
    expected = count * softmax(TARGET)
    counts = np.bincount([c.token for c in found], minlength=6)
    assert ((counts - expected) ** 2 / expected).sum() < 36
    assert all(c.draft is None or drafts[i][c.draft] == c.token for i, c in enumerate(found))
    # The control: the first draft, whatever the target.
    wrong = np.bincount(drafts[:, 0], minlength=6)
    assert ((wrong - expected) ** 2 / expected).sum() > 36


def test_tokens_drafted_once_have_the_targets_law():
    """Drawn without replacement, and verified as that; verified as if they were independent they have another law."""
    count, rng, law = 4000, np.random.default_rng(8), softmax(2 * DRAFT)
    drafts = np.stack([rng.choice(6, size=3, replace=False, p=law) for _ in range(count)])
    expected = count * softmax(TARGET)

    def statistic(scheme: str) -> float:
        found = [diffspec.couple(TARGET, 2 * DRAFT, drafts[i], draft_scheme=scheme, seed=3, position=i).token for i in range(count)]
        return float(((np.bincount(found, minlength=6) - expected) ** 2 / expected).sum())

    assert statistic("without-replacement") < 36 < statistic("independent")


def test_decides_as_the_command_line_does():
    if not PROGRAM.exists():
        pytest.skip("the program is not built")
    logits = RNG.normal(size=(3, 50)).astype(np.float32)
    law = {"top_k": 20, "temperature": 0.7}
    drafted = [int(np.argmax(row)) for row in logits[1:]]
    line = {"target": {"logits": logits[0].tolist()} | law, "drafts": [{"logits": row.tolist()} | law for row in logits[1:]],
            "drafted": drafted, "rule": "specinfer", "seed": 9}
    lines = "\n".join(json.dumps(line | {"position": position}) for position in range(30))
    answers = subprocess.run([PROGRAM, "couple", "--stream", "--rule", "naive"], input=lines, capture_output=True, text=True, check=True,
                             env=os.environ).stdout.splitlines()
    for position, answer in enumerate(map(json.loads, answers)):
        found = diffspec.couple(logits[0], logits[1:], drafted, rule="specinfer", seed=9, position=position, **law)
        assert (found.token, found.accepted, found.draft) == (answer["token"], answer["accepted"], answer.get("draft"))


def test_takes_tensors():
    torch = pytest.importorskip("torch")
    logits = torch.tensor(np.stack([TARGET, DRAFT]), dtype=torch.bfloat16)
    assert diffspec.couple(logits[0], logits[1], [2], seed=1) == diffspec.couple(logits[0].float().numpy(),
                                                                                  logits[1].float().numpy(), [2], seed=1)


@pytest.mark.parametrize("arguments, word", [
    ({"target": TARGET[:5]}, "draft"), ({"target": [TARGET]}, "target"), ({"drafted": []}, "draft"), ({"drafted": [6]}, "6"),
    ({"drafted": [-1]}, "-1"), ({"target": np.full(6, np.nan)}, "target"), ({"draft": np.full(6, -np.inf)}, "draft"),
    ({"rule": "gumbel"}, "gumbel"), ({"rule": "best"}, "rule"), ({"temperature": 0}, "temperature"), ({"top_k": -1}, "top"),
    ({"top_p": 1.5}, "top"), ({"position": -1}, "position"), ({"tolerance": 2, "rule": "global-resolution"}, "tolerance"),
    ({"top_k": 1, "drafted": [int(np.argmin(DRAFT))]}, "no probability"), ({"target": []}, "target"),
])
def test_bad_input(arguments, word):
    with pytest.raises(diffspec.DiffSpecError, match=word):
        diffspec.couple(**({"target": TARGET, "draft": DRAFT, "drafted": [1]} | arguments))
