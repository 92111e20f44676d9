"""The network of diffusion policies (Chi et al., "Diffusion Policy", RSS 2023) from PyTorch's own layers, under the state-dict names of
its public implementation; and policy folders with random weights.

    python policy_network.py FOLDER [--down-dims 256 512 1024] [--kernel-size 5] [--condition 10] …

The defaults are the architecture of the published PushT policy for low-dimensional observations, 65 million parameters. FOLDER also
gets a scheduler_config.json, a statistics.safetensors, so that it can be served, and a case.safetensors with rows and their outputs.
"""
import argparse
import json
import math
import pathlib

import torch
from safetensors.torch import load_file, save_file
from torch import nn


class SinusoidalEmbedding(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.half = channels // 2

    def forward(self, step):
        factor = math.log(10_000) / (self.half - 1)
        angles = step[:, None] * torch.exp(torch.arange(self.half) * -factor)[None]
        return torch.cat((angles.sin(), angles.cos()), dim=-1)


class ConvBlock(nn.Module):
    def __init__(self, inputs, outputs, kernel, groups=8):
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv1d(inputs, outputs, kernel, padding=kernel // 2), nn.GroupNorm(groups, outputs), nn.Mish())

    def forward(self, x):
        return self.block(x)


class Resampling(nn.Module):
    def __init__(self, conv):
        super().__init__()
        self.conv = conv

    def forward(self, x):
        return self.conv(x)


class ResidualBlock(nn.Module):
    def __init__(self, inputs, outputs, condition, kernel, groups, predicts_scale):
        super().__init__()
        self.outputs, self.predicts_scale = outputs, predicts_scale
        self.blocks = nn.ModuleList(
            [ConvBlock(inputs, outputs, kernel, groups), ConvBlock(outputs, outputs, kernel, groups)])
        self.cond_encoder = nn.Sequential(nn.Mish(), nn.Linear(condition, outputs * (2 if predicts_scale else 1)))
        self.residual_conv = nn.Identity() if inputs == outputs else nn.Conv1d(inputs, outputs, 1)

    def forward(self, x, condition):
        hidden = self.blocks[0](x)
        film = self.cond_encoder(condition)[:, :, None]
        if self.predicts_scale:
            scale, bias = film.reshape(len(film), 2, self.outputs, 1).unbind(1)
            hidden = scale * hidden + bias
        else:
            hidden = hidden + film
        return self.blocks[1](hidden) + self.residual_conv(x)


class ConditionalUnet1D(nn.Module):
    def __init__(self, input_dim, global_cond_dim, diffusion_step_embed_dim, down_dims, kernel_size, n_groups, cond_predict_scale):
        super().__init__()
        embedding = diffusion_step_embed_dim

        def block(inputs, outputs):
            return ResidualBlock(inputs, outputs, embedding + global_cond_dim, kernel_size, n_groups, cond_predict_scale)

        levels = list(zip([input_dim, *down_dims], down_dims))
        first, last = down_dims[0], down_dims[-1]
        self.diffusion_step_encoder = nn.Sequential(
            SinusoidalEmbedding(embedding), nn.Linear(embedding, 4 * embedding), nn.Mish(), nn.Linear(4 * embedding, embedding))
        self.down_modules = nn.ModuleList(
            nn.ModuleList([
                block(inputs, outputs), block(outputs, outputs),
                nn.Identity() if level == len(levels) - 1 else Resampling(nn.Conv1d(outputs, outputs, 3, 2, 1))])
            for level, (inputs, outputs) in enumerate(levels))
        self.mid_modules = nn.ModuleList(block(last, last) for _ in range(2))
        self.up_modules = nn.ModuleList(
            nn.ModuleList([
                block(2 * outputs, inputs), block(inputs, inputs), Resampling(nn.ConvTranspose1d(inputs, inputs, 4, 2, 1))])
            for inputs, outputs in reversed(levels[1:]))
        self.final_conv = nn.Sequential(ConvBlock(first, first, kernel_size), nn.Conv1d(first, input_dim, 1))

    def forward(self, sample, timestep, global_cond):
        x = sample.transpose(1, 2)
        condition = torch.cat((self.diffusion_step_encoder(timestep), global_cond), dim=-1)
        skips = []
        for first, second, down in self.down_modules:
            x = second(first(x, condition), condition)
            skips.append(x)
            x = down(x)
        for block in self.mid_modules:
            x = block(x, condition)
        for first, second, up in self.up_modules:
            x = up(second(first(torch.cat((x, skips.pop()), dim=1), condition), condition))
        return self.final_conv(x).transpose(1, 2)


def load(folder):
    """The network of a folder and its horizon."""
    folder = pathlib.Path(folder)
    config = json.loads((folder / "config.json").read_text())
    keys = ("input_dim", "global_cond_dim", "diffusion_step_embed_dim", "down_dims", "kernel_size", "n_groups", "cond_predict_scale")
    network = ConditionalUnet1D(**{key: config[key] for key in keys})
    weights = load_file(folder / "diffusion_pytorch_model.safetensors")
    network.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    return network.eval(), config["horizon"]


def write(folder, config, horizon, states, rows, seed):
    """A policy folder with random weights, whose condition is `states` states."""
    torch.manual_seed(seed)
    network = ConditionalUnet1D(**config).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim == 1:  # normalisations and biases that do something
                parameter.add_(0.2 * torch.randn_like(parameter))
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"_class_name": "ConditionalUnet1D", "horizon": horizon, **config}, indent=1))
    (folder / "scheduler_config.json").write_text(json.dumps({
        "_class_name": "DDPMScheduler", "num_train_timesteps": 100, "beta_schedule": "squaredcos_cap_v2",
        "variance_type": "fixed_small", "clip_sample": True, "prediction_type": "epsilon"}, indent=1))
    save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()},
              folder / "diffusion_pytorch_model.safetensors")
    if states:
        numbers = config["global_cond_dim"] // states
        save_file({
            "observation_minimum": torch.zeros(numbers), "observation_maximum": 100 + torch.arange(numbers).float(),
            "action_minimum": torch.zeros(config["input_dim"]), "action_maximum": torch.full((config["input_dim"],), 100.0),
        }, folder / "statistics.safetensors")
    case = {
        "sample": torch.randn(rows, horizon, config["input_dim"]), "timestep": torch.randint(0, 100, (rows,)).float(),
        "global_cond": torch.randn(rows, config["global_cond_dim"])}
    with torch.no_grad():
        case["output"] = network(**case).contiguous()
    save_file(case, folder / "case.safetensors")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--input", type=int, default=2)
    parser.add_argument("--condition", type=int, default=10)
    parser.add_argument("--states", type=int, default=2, help="latest states that make up the condition; 0: no statistics")
    parser.add_argument("--embedding", type=int, default=256)
    parser.add_argument("--down-dims", type=int, nargs="+", default=[256, 512, 1024])
    parser.add_argument("--kernel-size", type=int, default=5)
    parser.add_argument("--groups", type=int, default=8)
    parser.add_argument("--bias-only", action="store_true")
    parser.add_argument("--horizon", type=int, default=16)
    parser.add_argument("--rows", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    config = {
        "input_dim": options.input, "global_cond_dim": options.condition, "diffusion_step_embed_dim": options.embedding,
        "down_dims": options.down_dims, "kernel_size": options.kernel_size, "n_groups": options.groups,
        "cond_predict_scale": not options.bias_only}
    write(options.folder, config, options.horizon, options.states, options.rows, options.seed)


if __name__ == "__main__":
    main()
