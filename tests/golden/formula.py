"""Weights without weight files: every value of a tensor follows from the tensor's name by a formula.

Python and Rust (`src/sensorllm/tests/checkpoint/formula.rs`) compute it bit for bit alike, so that a checkpoint of any
size needs no more than a list of its tensors. Value i of tensor NAME:

    seed  = FNV-1a (32 bits) of "SALT:NAME" in UTF-8
    h     = MurmurHash3's 32-bit finaliser of seed + i * 0x9E3779B9 (modulo 2^32)
    u     = (h >> 8) * 2^-24 - 0.5                           exact in f32
    value = centre + u * width                               one f32 rounding each
    then rounded to nearest-even where the checkpoint is bf16 or f16

`width` is the width of a uniform distribution: its standard deviation is width / sqrt(12).
"""

import re

import numpy as np
import torch

DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def fnv1a(text):
    h = 0x811C9DC5
    for byte in text.encode():
        h = ((h ^ byte) * 0x01000193) & 0xFFFFFFFF
    return h


def values(salt, name, count, centre, width):
    """`count` values of tensor `name`, as f32."""
    h = np.arange(count, dtype=np.uint32)
    h *= np.uint32(0x9E3779B9)
    h += np.uint32(fnv1a(f"{salt}:{name}"))
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x85EBCA6B)
    h ^= h >> np.uint32(13)
    h *= np.uint32(0xC2B2AE35)
    h ^= h >> np.uint32(16)
    u = (h >> np.uint32(8)).astype(np.float32)
    u *= np.float32(2.0**-24)
    u -= np.float32(0.5)
    u *= np.float32(width)
    u += np.float32(centre)
    return u


def describe(rules, name, shape):
    """The entry of one tensor in a case's list: centre and width by the first rule whose pattern is found in the name.

    A rule is (pattern, centre, deviation); the deviation may be a function of the tensor's last dimension, which is the
    number of inputs of a linear map.
    """
    for pattern, centre, deviation in rules:
        if re.search(pattern, name):
            deviation = deviation(shape[-1]) if callable(deviation) else deviation
            width = float(np.float32(deviation * 12**0.5))
            return {"name": name, "shape": list(shape), "centre": centre, "width": width}
    raise ValueError(f"no rule for {name}")


def tensor(case, entry):
    """The tensor an entry stands for, in the case's type. `values_of` names the tensor it repeats."""
    count = int(np.prod(entry["shape"]))
    name = entry.get("values_of", entry["name"])
    flat = values(case["salt"], name, count, entry["centre"], entry["width"])
    return torch.from_numpy(flat).reshape(entry["shape"]).to(DTYPES[case["dtype"]])
