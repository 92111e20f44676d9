#!/usr/bin/env python3
"""Trains a small Llama on a text and writes its folder, as transformers' `save_pretrained` writes it.

    python train_language_model.py tokenizer TEXT OUT                      # a byte-level BPE, OUT/tokenizer.json
    python train_language_model.py target TEXT OUT --tokenizer OUT/tokenizer.json
    python train_language_model.py draft TEXT OUT-DRAFT --tokenizer OUT/tokenizer.json

Documents of the text are separated by empty lines. Each twentieth is held out, and its loss stands in the curve. The state is
saved every two minutes and at Ctrl-C: the same command with --resume continues where it stopped. OUT holds the model folder,
`loss.csv` and `checkpoint.pt`.
"""

import argparse
import math
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaForCausalLM

from trainer import Pace, Trainer, add_run_options, parse_run, reported

VOCABULARY = 2048
BOUNDARY = "<|text|>"  # begins every document, and so ends the one before
BOUNDARY_TOKEN = 0
CONTEXT = 512
SEQUENCE = 256  # tokens of a training row
HELD_OUT_EVERY = 20
EVALUATION_ROWS = 64
PACE = Pace(batch=8, learning_rate=2e-3, warmup_steps=100, ema_decay=0.995, ema_power=0.9, weight_decay=0.1)
SHAPES = {
    "target": {"hidden_size": 192, "intermediate_size": 512, "num_hidden_layers": 4, "num_attention_heads": 6,
               "num_key_value_heads": 3},
    "draft": {"hidden_size": 64, "intermediate_size": 176, "num_hidden_layers": 2, "num_attention_heads": 4,
              "num_key_value_heads": 2},
}


def make_config(size: str, vocabulary: int) -> LlamaConfig:
    """The network of `target` or `draft`: one matrix embeds the tokens and scores them."""
    return LlamaConfig(vocab_size=vocabulary, max_position_embeddings=CONTEXT, tie_word_embeddings=True,
                       bos_token_id=BOUNDARY_TOKEN, eos_token_id=BOUNDARY_TOKEN, **SHAPES[size])


def documents(text: str) -> list[str]:
    """The parts of a text between empty lines."""
    return [part.strip() for part in text.split("\n\n") if part.strip()]


def train_tokenizer(parts: list[str], vocabulary: int = VOCABULARY) -> Tokenizer:
    """A byte-level BPE of the text, in which any text can be written."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(parts, trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=[BOUNDARY], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return tokenizer


@dataclass(frozen=True)
class Corpus:
    """The tokens of a text [count], each document with a boundary before it: those to learn from and those held out."""

    learnt: Tensor
    held_out: Tensor

    @classmethod
    def make(cls, parts: list[str], tokenizer: Tokenizer) -> "Corpus":
        encoded = [torch.tensor([BOUNDARY_TOKEN, *encoding.ids]) for encoding in tokenizer.encode_batch(parts)]
        held_out = encoded[HELD_OUT_EVERY - 1::HELD_OUT_EVERY]
        if not held_out or min(len(torch.cat(held_out)), sum(map(len, encoded))) <= SEQUENCE:
            raise ValueError(f"the text has {len(encoded)} documents: expected at least {HELD_OUT_EVERY}, separated by "
                             f"empty lines, and more than {SEQUENCE} tokens in each twentieth of them")
        learnt = [tokens for place, tokens in enumerate(encoded) if (place + 1) % HELD_OUT_EVERY]
        return cls(torch.cat(learnt), torch.cat(held_out))


class LanguageTrainer(Trainer):
    """The run of a network on a text."""

    losses = ("loss", "held_out_loss")

    def __init__(self, config: LlamaConfig, corpus: Corpus, tokenizer: Path, steps: float, seed: int = 0,
                 minutes: float | None = None, pace: Pace = PACE, low_precision: bool = False) -> None:
        torch.manual_seed(seed)
        super().__init__(LlamaForCausalLM(config), pace, seed, steps, minutes, torch.device("cpu"), low_precision)
        self.config, self.corpus, self.tokenizer = config, corpus, tokenizer
        self.rows = (len(corpus.learnt) - 1) // SEQUENCE

    def identity(self) -> dict[str, Any]:
        return {key: self.config.to_dict()[key] for key in (*SHAPES["target"], "vocab_size")} | asdict(self.pace) | {
            "seed": self.seed, "tokens": len(self.corpus.learnt)}

    def loss(self) -> Tensor:
        # The rows begin elsewhere in each epoch, so that no token always stands at a row's beginning.
        epoch = self.step // (self.rows // self.pace.batch)
        shift = (epoch * 97) % SEQUENCE
        rows = [row for row in self.batch_rows(self.rows).tolist()]
        starts = [min(row * SEQUENCE + shift, len(self.corpus.learnt) - SEQUENCE - 1) for row in rows]
        return mean_loss(self.network, torch.stack([self.corpus.learnt[s:s + SEQUENCE + 1] for s in starts]))

    def log_row(self, loss: float) -> dict[str, float]:
        return super().log_row(loss) | {"held_out_loss": round(self.held_out_loss(), 5) if self.step else math.nan}

    @torch.no_grad()
    def held_out_loss(self) -> float:
        """The loss of the moving average in nats a token, over the first rows of what was held out."""
        tokens = self.corpus.held_out
        count = min(EVALUATION_ROWS, (len(tokens) - 1) // SEQUENCE)
        rows = torch.stack([tokens[i * SEQUENCE:(i + 1) * SEQUENCE + 1] for i in range(count)])
        return mean_loss(self.averaged(), rows).item()

    def averaged(self) -> nn.Module:
        network = LlamaForCausalLM(self.config)
        network.load_state_dict(self.average)
        return network.eval()

    def save_model(self, folder: Path) -> None:
        self.averaged().to(torch.bfloat16).save_pretrained(folder)
        if not (folder / "tokenizer.json").exists():
            shutil.copy(self.tokenizer, folder / "tokenizer.json")


def mean_loss(network: nn.Module, rows: Tensor) -> Tensor:
    """The cross-entropy of each row's next tokens: `rows` [batch, length + 1]."""
    logits = network(rows[:, :-1]).logits
    return cross_entropy(logits.flatten(0, 1).float(), rows[:, 1:].flatten())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["tokenizer", *SHAPES])
    parser.add_argument("text", type=Path, help="UTF-8, documents separated by empty lines")
    parser.add_argument("out", type=Path)
    parser.add_argument("--tokenizer", type=Path, help="of a model: a byte-level BPE's tokenizer.json")
    parser.add_argument("--epochs", type=float, default=8)
    parser.add_argument("--bf16", action="store_true", help="autocast, where the processor multiplies bfloat16 faster")
    add_run_options(parser)
    arguments = parse_run(parser)
    with reported():
        parts = documents(arguments.text.read_text())
        if arguments.what == "tokenizer":
            arguments.out.mkdir(parents=True, exist_ok=True)
            train_tokenizer(parts).save(str(arguments.out / "tokenizer.json"))
            return
        if arguments.tokenizer is None:
            parser.error("a model needs --tokenizer")
        tokenizer = Tokenizer.from_file(str(arguments.tokenizer))
        corpus = Corpus.make(parts, tokenizer)
        steps = arguments.epochs * ((len(corpus.learnt) - 1) // SEQUENCE // PACE.batch)
        trainer = LanguageTrainer(make_config(arguments.what, tokenizer.get_vocab_size()), corpus, arguments.tokenizer,
                                  steps, arguments.seed, arguments.minutes, low_precision=arguments.bf16)
        if arguments.resume:
            trainer.resume(arguments.out)
        trainer.run_in(arguments.out, arguments.what)


if __name__ == "__main__":
    main()
