#!/usr/bin/env python3
"""Records what two language models say of the next token along texts that the first one writes.

    python record_laws.py TARGET DRAFT TEXT OUT.safetensors

TARGET and DRAFT are folders as transformers writes them, of one vocabulary. Each text begins with the first tokens of a document
that training held out and is continued by the target at temperature 1. OUT gets the scores before temperature and truncation:
`target` and `draft` [texts * tokens, vocabulary], and `tokens` [texts, prompt + tokens]. `token-experiments` of the benchmarks
reads it.
"""

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import AutoModelForCausalLM

from train_language_model import BOUNDARY_TOKEN, HELD_OUT_EVERY, documents
from trainer import reported


@torch.no_grad()
def continue_texts(network: nn.Module, prompts: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """`prompts` [texts, length] with `count` tokens more, each from the network's own law."""
    tokens = prompts
    for _ in range(count):
        law = network(tokens).logits[:, -1].float().softmax(dim=-1)
        tokens = torch.cat([tokens, torch.multinomial(law, 1, generator=generator)], dim=1)
    return tokens


@torch.no_grad()
def scores(network: nn.Module, tokens: Tensor, start: int) -> Tensor:
    """The scores [texts * (length - start), vocabulary] of each token from `start` on, given those before it."""
    return network(tokens).logits[:, start - 1:-1].float().flatten(0, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", type=Path)
    parser.add_argument("draft", type=Path)
    parser.add_argument("text", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--texts", type=int, default=12)
    parser.add_argument("--prompt", type=int, default=32, help="tokens of a document that begin a text")
    parser.add_argument("--tokens", type=int, default=32, help="tokens that the target writes")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with reported():
        tokenizer = Tokenizer.from_file(str(arguments.target / "tokenizer.json"))
        held_out = documents(arguments.text.read_text())[HELD_OUT_EVERY - 1::HELD_OUT_EVERY]
        beginnings = [[BOUNDARY_TOKEN, *encoding.ids][:arguments.prompt] for encoding in tokenizer.encode_batch(held_out)]
        long = [tokens for tokens in beginnings if len(tokens) == arguments.prompt][:arguments.texts]
        if len(long) < arguments.texts:
            raise ValueError(f"{arguments.text}: expected {arguments.texts} held-out documents of {arguments.prompt} tokens, "
                             f"found {len(long)}")
        target, draft = (AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
                         for path in (arguments.target, arguments.draft))
        generator = torch.Generator().manual_seed(arguments.seed)
        tokens = continue_texts(target, torch.tensor(long), arguments.tokens, generator)
        save_file({"target": scores(target, tokens, arguments.prompt), "draft": scores(draft, tokens, arguments.prompt),
                   "tokens": tokens}, arguments.out)


if __name__ == "__main__":
    main()
