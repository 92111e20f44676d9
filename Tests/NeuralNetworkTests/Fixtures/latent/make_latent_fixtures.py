"""Small networks of latent models with random weights, each with inputs and what diffusers or transformers makes of them.

    pip install diffusers transformers
    python3 make_latent_fixtures.py OUT [--only NAME …]

writes a folder for each network: config.json, the weights, and case.safetensors with the tensors that `diffspec evaluate`
reads and those that it must write. `--check PROGRAM` runs that program on each of them and prints the largest difference in
standard deviations.
"""

import argparse
import os
import pathlib
import subprocess
import tempfile

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel, VQModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection


def spread(model, seed):
    """Weights and biases so large that every one of them shows in the output."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.ndim == 1:
                parameter.copy_(noise * 0.1 + (1 if "norm" in name and name.endswith("weight") else 0))
            else:
                fan = parameter[0].numel()
                parameter.copy_(noise / fan**0.5)
    return model.eval()


def autoencoder(cls, seed, **config):
    model = spread(cls(in_channels=3, out_channels=3, norm_num_groups=4, sample_size=16, **config), seed)
    generator = torch.Generator().manual_seed(seed + 1)
    channels = config["vq_embed_dim"] if cls is VQModel else config["latent_channels"]
    factor = 2 ** (len(config["block_out_channels"]) - 1)
    latent = torch.randn(2, channels, 6, 4, generator=generator)
    image = torch.randn(2, 3, 4 * factor, 6 * factor, generator=generator)
    case = {"latent": latent, "image": image, "decoded": model.decode(latent).sample}
    if cls is AutoencoderKL:
        distribution = model.encode(image).latent_dist
        case |= {"mean": distribution.mean, "logvar": distribution.logvar}
    else:
        case["latents"] = model.encode(image).latents
    return model, case


def unet(seed, rows=3, tokens=7, ids=6, pooled=10, **config):
    base = dict(in_channels=4, out_channels=4, norm_num_groups=4, sample_size=16, layers_per_block=1)
    model = spread(UNet2DConditionModel(**(base | config)), seed)
    generator = torch.Generator().manual_seed(seed + 1)

    def random(*shape):
        return torch.randn(*shape, generator=generator)

    width = config.get("encoder_hid_dim") or model.config.cross_attention_dim
    width = width[0] if isinstance(width, (list, tuple)) else width
    case = {
        "sample": random(rows, model.config.in_channels, 16, 24),
        "timestep": torch.tensor([1.0, 501.5, 999.0][:rows]),
        "encoder_hidden_states": random(rows, tokens, width),
    }
    kind = model.config.class_embed_type
    if kind is None and model.config.num_class_embeds:
        case["class_labels"] = torch.arange(rows) % model.config.num_class_embeds
    elif kind == "timestep":
        case["class_labels"] = random(rows) * 100
    elif kind == "identity":
        case["class_labels"] = random(rows, 4 * model.config.block_out_channels[0])
    elif kind is not None:
        case["class_labels"] = random(rows, model.config.projection_class_embeddings_input_dim)
    added = None
    if model.config.addition_embed_type == "text_time":
        case["text_embeds"] = random(rows, pooled)
        case["time_ids"] = torch.tensor([[1024.0, 768, 0, 32, 512, 512]] * rows)[:, :ids] + torch.arange(rows)[:, None]
        added = {"text_embeds": case["text_embeds"], "time_ids": case["time_ids"]}
    case["output"] = model(
        case["sample"], case["timestep"], case["encoder_hidden_states"], class_labels=case.get("class_labels"),
        added_cond_kwargs=added).sample
    return model, case


def text(cls, seed, end, **config):
    base = dict(
        vocab_size=60, hidden_size=24, intermediate_size=40, num_hidden_layers=3, num_attention_heads=3,
        max_position_embeddings=12, bos_token_id=58, eos_token_id=end, pad_token_id=1)
    model = spread(cls(CLIPTextConfig(**(base | config))), seed)
    generator = torch.Generator().manual_seed(seed + 1)
    ids = torch.randint(3, 58, (4, 10), generator=generator)
    ids[:, 0] = 58
    for row, place in enumerate([9, 4, 1, 6]):
        ids[row, place:] = 59
    result = model(ids, output_hidden_states=True)
    case = {
        "input_ids": ids, "last_hidden_state": result.last_hidden_state, "penultimate": result.hidden_states[-2]}
    if cls is CLIPTextModel:
        case["pooler_output"] = result.pooler_output
    else:
        case["text_embeds"] = result.text_embeds
    return model, case


PLAIN, CROSS = ["DownBlock2D", "UpBlock2D"], ["CrossAttnDownBlock2D", "CrossAttnUpBlock2D"]


def blocks(*kinds):
    return dict(
        down_block_types=tuple(kind[0] for kind in kinds), up_block_types=tuple(kind[1] for kind in reversed(kinds)))


CASES = {
    "kl-attention": lambda: autoencoder(
        AutoencoderKL, 10, latent_channels=5, block_out_channels=(8, 12, 20), layers_per_block=2,
        down_block_types=("DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"),
        up_block_types=("UpDecoderBlock2D",) * 3, mid_block_add_attention=False, use_quant_conv=False,
        act_fn="mish"),
    "kl-one-level": lambda: autoencoder(
        AutoencoderKL, 11, latent_channels=2, block_out_channels=(16,), use_post_quant_conv=False, shift_factor=0.1),
    "vq-attention": lambda: autoencoder(
        VQModel, 12, latent_channels=4, vq_embed_dim=3, num_vq_embeddings=40, block_out_channels=(8, 16),
        down_block_types=("DownEncoderBlock2D", "AttnDownEncoderBlock2D"),
        up_block_types=("AttnUpDecoderBlock2D", "UpDecoderBlock2D"), layers_per_block=1),
    "sdxl": lambda: unet(
        20, block_out_channels=(8, 12, 16), attention_head_dim=(2, 3, 4), transformer_layers_per_block=(1, 1, 2),
        cross_attention_dim=20, use_linear_projection=True, addition_embed_type="text_time",
        addition_time_embed_dim=8, projection_class_embeddings_input_dim=10 + 6 * 8, layers_per_block=1,
        **blocks(PLAIN, CROSS, CROSS)),
    "only-cross": lambda: unet(
        21, block_out_channels=(8, 16), attention_head_dim=4, cross_attention_dim=12, only_cross_attention=True,
        class_embed_type="projection", projection_class_embeddings_input_dim=9, act_fn="gelu",
        center_input_sample=True, freq_shift=1, flip_sin_to_cos=False, **blocks(CROSS, CROSS)),
    "uneven-layers": lambda: unet(
        22, block_out_channels=(16, 24, 32), attention_head_dim=2, cross_attention_dim=(12, 12, 12),
        only_cross_attention=(True, False, True), layers_per_block=(1, 3, 2), class_embed_type="timestep",
        resnet_time_scale_shift="scale_shift", mid_block_scale_factor=1.5, downsample_padding=0,
        **blocks(CROSS, CROSS, PLAIN)),
    "lists": lambda: unet(
        23, block_out_channels=(16, 32), attention_head_dim=2, cross_attention_dim=12, class_embed_type="identity",
        transformer_layers_per_block=[[2], [1]], reverse_transformer_layers_per_block=[[1, 2], [3, 1]],
        mid_block_type="UNetMidBlock2D", encoder_hid_dim=9, **blocks(CROSS, CROSS)),
    "plain": lambda: unet(
        24, block_out_channels=(8, 16), cross_attention_dim=12, class_embed_type="simple_projection",
        projection_class_embeddings_input_dim=5, mid_block_type=None, **blocks(PLAIN, PLAIN)),
    "no-divisor": lambda: unet(
        25, block_out_channels=(16, 28), attention_head_dim=3, cross_attention_dim=12, use_linear_projection=True,
        num_class_embeds=5, in_channels=9, **blocks(CROSS, CROSS)),
    "clip-gelu": lambda: text(CLIPTextModel, 30, 59, hidden_act="gelu"),
    "clip-old-end": lambda: text(CLIPTextModel, 31, 2, hidden_act="quick_gelu", num_hidden_layers=1),
    "clip-projection": lambda: text(
        CLIPTextModelWithProjection, 32, 59, hidden_act="gelu", projection_dim=20, layer_norm_eps=1e-3),
}


def check(program, folder, case):
    with tempfile.TemporaryDirectory() as scratch:
        output = os.path.join(scratch, "output.safetensors")
        result = subprocess.run(
            [program, "evaluate", "--model", folder, "--input", folder / "case.safetensors", "--output", output],
            capture_output=True, text=True)
        if result.returncode != 0:
            return result.stderr.strip()
        found = load_file(output)
        return ", ".join(
            f"{name} {(values - case[name]).abs().max() / case[name].std():.1e}" for name, values in found.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--only", nargs="*", choices=list(CASES))
    parser.add_argument("--check", metavar="PROGRAM")
    arguments = parser.parse_args()
    torch.set_grad_enabled(False)
    for name in arguments.only or CASES:
        model, case = CASES[name]()
        folder = arguments.out / name
        model.save_pretrained(folder, safe_serialization=True)
        save_file({key: value.contiguous() for key, value in case.items()}, folder / "case.safetensors")
        print(name, sum(p.numel() for p in model.parameters()), end="  ")
        print(check(arguments.check, folder, case) if arguments.check else "", flush=True)


if __name__ == "__main__":
    main()
