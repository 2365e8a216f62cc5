#!/usr/bin/env python3
"""Cuts the small recordings that tests and demo use out of the MotionSense data set.

    python3 tests/data/make_sample.py MOTIONSENSE_FOLDER [tests/data/motionsense]

Both folders are in the format `sensorllm data info` reads. Taken are two subjects that no model of this project is
trained on, per activity the middle 40 s of the longest trial, and only the channels that make up acceleration and
rotation rate. Nothing is filtered or resampled, so the integers are those of the source folder. Needs only Python.
"""

import ast
import csv
import json
import pathlib
import struct
import sys

SUBJECTS = ["s12", "s18"]
QUANTITIES = ["gravity", "rotation_rate", "user_acceleration"]
SECONDS = 40
# The phone goes into and comes out of the pocket within the first and last seconds of a trial.
MARGIN_SECONDS = 2


def read_csv(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def write_csv(path, rows):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_npy(path):
    """Column count and the bytes of the rows of a version 1 `<i2` array."""
    data = path.read_bytes()
    assert data[:8] == b"\x93NUMPY\x01\x00", path
    (length,) = struct.unpack_from("<H", data, 8)
    header = ast.literal_eval(data[10 : 10 + length].decode())
    assert header["descr"] == "<i2" and not header["fortran_order"], path
    return header["shape"][1], data[10 + length :]


def write_npy(path, columns, rows):
    header = str({"descr": "<i2", "fortran_order": False, "shape": (len(rows), columns)})
    header += " " * (-(len(header) + 11) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + b"".join(rows))


def main(source, target):
    target.mkdir(parents=True, exist_ok=True)
    description = json.loads((source / "dataset.json").read_text())
    (target / "dataset.json").write_text(json.dumps(description, indent=2) + "\n")
    rate = description["rate_hz"]

    channels = [c for c in read_csv(source / "channels.csv") if c["quantity"] in QUANTITIES]
    columns = [int(c["index"]) for c in channels]
    write_csv(target / "channels.csv", [c | {"index": i} for i, c in enumerate(channels)])

    recordings, segments = [], []
    source_segments = read_csv(source / "segments.csv")
    for subject in SUBJECTS:
        width, data = read_npy(source / f"{subject}.npy")
        longest = {}
        for segment in (s for s in source_segments if s["subject"] == subject):
            rows = int(segment["end_row"]) - int(segment["start_row"])
            if rows > longest.get(segment["activity"], (0, None))[0]:
                longest[segment["activity"]] = (rows, segment)
        taken = []
        for rows, segment in longest.values():
            length = min(SECONDS * rate, rows - 2 * MARGIN_SECONDS * rate)
            first = int(segment["start_row"]) + (rows - length) // 2
            place = {"start_row": len(taken), "end_row": len(taken) + length}
            name = {"subject": subject, "recording": segment["recording"]}
            recordings.append(name | place)
            segments.append(name | place | {"label": segment["label"], "activity": segment["activity"]})
            for row in range(first, first + length):
                values = struct.unpack_from(f"<{width}h", data, row * width * 2)
                taken.append(struct.pack(f"<{len(columns)}h", *(values[c] for c in columns)))
        write_npy(target / f"{subject}.npy", len(columns), taken)
    write_csv(target / "recordings.csv", recordings)
    write_csv(target / "segments.csv", segments)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    default = pathlib.Path(__file__).parent / "motionsense"
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]) if len(sys.argv) == 3 else default)
