"""Writes the golden files of this folder: inputs, weights and outputs of the reference implementations.

Run it in an environment with `torch`, `transformers` and `chronos-forecasting` (versions in README.md):

    python make_golden.py

Models are tiny and random; their configurations exercise what differs between published sizes (Chronos mini's inner
width that is not d_model, grouped queries, missing values, padding). Weights are written under this project's names and
in its layout ([input, output]).
"""

import numpy as np
import torch
from safetensors.numpy import save_file
from transformers import LlamaConfig, LlamaModel, T5Config

torch.manual_seed(20)
rng = np.random.default_rng(20)


def linear(prefix, module, out):
    out[f"{prefix}.weight"] = module.weight.detach().numpy().T.copy()
    if module.bias is not None:
        out[f"{prefix}.bias"] = module.bias.detach().numpy().copy()


def vector(name, tensor, out):
    out[name] = tensor.detach().float().numpy().copy()


def t5_encoder(encoder, out):
    """Names of a Hugging Face T5 encoder stack."""
    bias = encoder.block[0].layer[0].SelfAttention.relative_attention_bias.weight
    vector("encoder.relative_attention_bias", bias, out)
    for i, block in enumerate(encoder.block):
        attention, feed_forward = block.layer[0], block.layer[1]
        prefix = f"encoder.blocks.{i}"
        vector(f"{prefix}.attention_norm.weight", attention.layer_norm.weight, out)
        for name in "qkvo":
            linear(f"{prefix}.{name}", getattr(attention.SelfAttention, name), out)
        vector(f"{prefix}.feed_forward_norm.weight", feed_forward.layer_norm.weight, out)
        linear(f"{prefix}.wi", feed_forward.DenseReluDense.wi, out)
        linear(f"{prefix}.wo", feed_forward.DenseReluDense.wo, out)
    vector("encoder.final_norm.weight", encoder.final_layer_norm.weight, out)


def randomise(model):
    """Norms and biases too, so that a forgotten one shows."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1:
                parameter.add_(0.2 * torch.randn_like(parameter))
            elif "relative_attention_bias" in name:
                parameter.copy_(torch.randn_like(parameter))


def series(count, length):
    """Walking-like series with offsets, missing stretches, a constant and an entirely missing one."""
    t = np.arange(length) / 50.0
    rows = [
        9.8 * (i % 2) + (i + 1) * np.sin(2 * np.pi * (1.0 + 0.3 * i) * t) + 0.3 * rng.standard_normal(length)
        for i in range(count)
    ]
    x = np.stack(rows).astype(np.float32)
    x[1, 5:25] = np.nan
    x[2, :] = 9.81
    x[3, :] = np.nan
    return x


def chronos_t5():
    from chronos import ChronosConfig
    from chronos.chronos import MeanScaleUniformBins
    from transformers import T5EncoderModel

    config = T5Config(
        vocab_size=4096, d_model=24, d_kv=8, d_ff=40, num_layers=2, num_heads=4,
        feed_forward_proj="relu", is_encoder_decoder=False, pad_token_id=0, eos_token_id=1,
    )
    model = T5EncoderModel(config).eval()
    randomise(model)
    chronos = ChronosConfig(
        tokenizer_class="MeanScaleUniformBins", tokenizer_kwargs={"low_limit": -15.0, "high_limit": 15.0},
        context_length=512, prediction_length=64, n_tokens=4096, n_special_tokens=2, pad_token_id=0,
        eos_token_id=1, use_eos_token=True, model_type="seq2seq", num_samples=20, temperature=1.0,
        top_k=50, top_p=1.0,
    )
    tokenizer = MeanScaleUniformBins(-15.0, 15.0, chronos)
    x = series(4, 60)
    tokens, mask, scale = tokenizer.context_input_transform(torch.from_numpy(x))
    with torch.no_grad():
        hidden = model(input_ids=tokens, attention_mask=mask).last_hidden_state

    # SensorLLM's z-score, on the same bins: population variance plus 1e-8.
    mean = np.nan_to_num(np.nanmean(x, axis=1, keepdims=True), nan=0.0)
    deviation = np.sqrt(np.nanvar(x.astype(np.float64), axis=1, keepdims=True) + 1e-8)
    z = torch.from_numpy(((x - mean) / deviation).astype(np.float32))
    z_tokens = torch.bucketize(z, tokenizer.boundaries, right=True) + 2
    z_tokens = torch.where(torch.isnan(z), 0, z_tokens.clamp(0, 4095))

    # A value for every bin and both ends: the whole grid, not just what the series meet.
    centres = torch.cat([tokenizer.centers, torch.tensor([-1e21, 1e21, -15.01, 15.01])])
    grid = torch.bucketize(centres, tokenizer.boundaries, right=True).add(2).clamp(0, 4095)

    weights = {}
    vector("input.Tokens", model.shared.weight, weights)
    t5_encoder(model.encoder, weights)
    save_file(weights, "chronos_t5.weights.safetensors")
    save_file(
        {
            "series": x, "tokens": tokens.int().numpy(), "attended": mask.float().numpy(),
            "scale": scale.float().numpy().reshape(-1), "z_tokens": z_tokens.int().numpy(),
            "grid_values": centres.float().numpy(), "grid_tokens": grid.int().numpy(), "hidden": hidden.numpy(),
        },
        "chronos_t5.safetensors",
    )


def chronos_bolt():
    from chronos.chronos_bolt import ChronosBoltModelForForecasting

    config = T5Config(
        vocab_size=2, d_model=24, d_kv=8, d_ff=40, num_layers=2, num_decoder_layers=1, num_heads=4,
        feed_forward_proj="relu", pad_token_id=0, eos_token_id=1, decoder_start_token_id=0, reg_token_id=1,
    )
    config.chronos_config = {
        "context_length": 2048, "prediction_length": 64, "input_patch_size": 16, "input_patch_stride": 16,
        "quantiles": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9], "use_reg_token": True,
    }
    model = ChronosBoltModelForForecasting(config).eval()
    randomise(model)
    x = series(4, 70)
    with torch.no_grad():
        hidden, (location, scale), _, mask = model.encode(context=torch.from_numpy(x))

    weights = {}
    block = model.input_patch_embedding
    linear("input.Patches.embedding.hidden", block.hidden_layer, weights)
    linear("input.Patches.embedding.output", block.output_layer, weights)
    linear("input.Patches.embedding.residual", block.residual_layer, weights)
    vector("input.Patches.reg", model.shared.weight[1], weights)
    t5_encoder(model.encoder, weights)
    save_file(weights, "chronos_bolt.weights.safetensors")
    save_file(
        {
            "series": x, "location": location.numpy().reshape(-1), "scale": scale.numpy().reshape(-1),
            "attended": mask.float().numpy(), "hidden": hidden.numpy(),
        },
        "chronos_bolt.safetensors",
    )


def llama():
    config = LlamaConfig(
        vocab_size=8, hidden_size=24, intermediate_size=40, num_hidden_layers=3, num_attention_heads=4,
        num_key_value_heads=2, head_dim=10, rms_norm_eps=1e-5, max_position_embeddings=64,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0}, attention_bias=False,
    )
    model = LlamaModel(config).eval()
    randomise(model)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 2:
                parameter.mul_(8.0)
    x = torch.randn(2, 11, 24)
    with torch.no_grad():
        hidden = model(inputs_embeds=x).last_hidden_state

    weights = {}
    for i, block in enumerate(model.layers):
        prefix = f"blocks.{i}"
        vector(f"{prefix}.attention_norm.weight", block.input_layernorm.weight, weights)
        for name in "qkvo":
            linear(f"{prefix}.attention.{name}", getattr(block.self_attn, f"{name}_proj"), weights)
        vector(f"{prefix}.mlp_norm.weight", block.post_attention_layernorm.weight, weights)
        for name in ("gate", "up", "down"):
            linear(f"{prefix}.mlp.{name}", getattr(block.mlp, f"{name}_proj"), weights)
    vector("norm.weight", model.norm.weight, weights)
    save_file(weights, "llama.weights.safetensors")
    save_file({"vectors": x.numpy(), "hidden": hidden.numpy()}, "llama.safetensors")


if __name__ == "__main__":
    chronos_t5()
    chronos_bolt()
    llama()
