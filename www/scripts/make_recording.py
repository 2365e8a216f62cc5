#!/usr/bin/env python3
"""Turns MotionSense recordings into what a phone's browser would have reported: JSON for the demo and the browser tests.

    python3 www/scripts/make_recording.py tour DATA OUT.json     one tour through all activities (the demo's Replay)
    python3 www/scripts/make_recording.py fixtures DATA OUT_DIR  one file per activity and subject (the browser tests)

DATA is the folder `motionsense` of the prepared data sets. Needs nothing but Python 3.9+.

Source: MotionSense, MIT licence, Copyright (c) 2018 Mohammad Malekzadeh. The subjects used here (s12, s18) are never
trained on. Stretches are chosen by rule, never by what a model says of them: the longest trial of the activity, from its
middle, because the first and last seconds show the phone going into and coming out of the pocket.

Written values follow the W3C DeviceMotion events: acceleration including gravity in m/s^2, positive on the axis that
points up at rest; rotation rate in deg/s as alpha = x, beta = y, gamma = z. Both are rounded to 0.1, as browsers do, and
stored as integers in tenths.
"""
import argparse
import array
import csv
import json
import math
import sys
from pathlib import Path

SUBJECTS = ["s12", "s18"]
# The order people move through in the demo, each stretch this long.
TOUR = [
    ("s12", "walking"),
    ("s12", "walking_upstairs"),
    ("s18", "walking_downstairs"),
    ("s18", "running"),
    ("s12", "standing"),
    ("s18", "sitting"),
]
TOUR_SECONDS = 24.0
FIXTURE_ACTIVITIES = ["walking", "walking_upstairs", "walking_downstairs", "running", "sitting", "standing"]
FIXTURE_SECONDS = 30.0
STANDARD_GRAVITY = 9.80665
# Stretches of the tour come from different recordings: a hole in the clock says so.
TOUR_HOLE_SECONDS = 0.5
SCALE = 0.1


def read_npy(path):
    """Rows, columns and values of a little-endian int16 .npy file."""
    data = path.read_bytes()
    length = int.from_bytes(data[8:10], "little")
    header = data[10 : 10 + length].decode("ascii")
    if "'<i2'" not in header or "'fortran_order': False" not in header:
        sys.exit(f"{path}: expected a C-ordered little-endian int16 array, found {header}")
    rows, columns = (int(n) for n in header.split("(")[1].split(")")[0].split(",") if n.strip())
    values = array.array("h", data[10 + length :])
    if sys.byteorder == "big":
        values.byteswap()
    if len(values) != rows * columns:
        sys.exit(f"{path}: the header says {rows} x {columns}, the file holds {len(values)} values")
    return rows, columns, values


def read_csv(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def middle_of_longest(data, subject, activity, seconds, rate):
    """Rows of the middle `seconds` of the subject's longest recording of `activity`."""
    segments = [s for s in read_csv(data / "segments.csv") if s["subject"] == subject and s["activity"] == activity]
    if not segments:
        sys.exit(f"{data}: {subject} has no recording of {activity}")
    longest = max(segments, key=lambda s: int(s["end_row"]) - int(s["start_row"]))
    start, end = int(longest["start_row"]), int(longest["end_row"])
    rows = min(end - start, round(seconds * rate))
    start += (end - start - rows) // 2
    return longest["recording"], range(start, start + rows)


def as_device_motion(data, subject, rows):
    """Acceleration and rotation rate of these rows in tenths of m/s^2 and of deg/s, flat (x, y, z, x, ...)."""
    scale = {c["name"]: float(c["scale"]) for c in read_csv(data / "channels.csv")}
    column = {c["name"]: int(c["index"]) for c in read_csv(data / "channels.csv")}
    _, columns, values = read_npy(data / f"{subject}.npy")

    def value(row, name):
        return values[row * columns + column[name]] * scale[name]

    acceleration, rotation_rate = [], []
    for row in rows:
        for axis in "xyz":
            g = value(row, f"gravity_{axis}") + value(row, f"user_acceleration_{axis}")
            acceleration.append(round(-STANDARD_GRAVITY * g / SCALE))
            rotation_rate.append(round(math.degrees(value(row, f"rotation_rate_{axis}")) / SCALE))
    return acceleration, rotation_rate


def recording(data, stretches, seconds):
    """The JSON document for these (subject, activity) stretches, one after the other."""
    about = json.loads((data / "dataset.json").read_text(encoding="utf-8"))
    rate = about["rate_hz"]
    runs, acceleration, rotation_rate, segments = [], [], [], []
    clock = 0.0
    for subject, activity in stretches:
        name, rows = middle_of_longest(data, subject, activity, seconds, rate)
        a, r = as_device_motion(data, subject, rows)
        acceleration += a
        rotation_rate += r
        segments.append(
            {
                "activity": activity,
                "start": clock,
                "end": round(clock + len(rows) / rate, 3),
                "source": f"{subject}/{name} rows {rows.start}-{rows.stop}",
            }
        )
        runs.append({"start": round(clock * 1000), "count": len(rows)})
        clock = round(segments[-1]["end"] + TOUR_HOLE_SECONDS, 3)
    return {
        "title": "Phone in the front trouser pocket",
        "attribution": "MotionSense, Copyright (c) 2018 Mohammad Malekzadeh, MIT licence",
        "placement": about["placement"],
        "convention": "w3c",
        "stepMs": 1000 / rate,
        "runs": runs,
        "scale": SCALE,
        "segments": segments,
        "acceleration": acceleration,
        "rotationRate": rotation_rate,
    }


def write(path, document):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{path}: {len(document['acceleration']) // 3} samples, {path.stat().st_size // 1024} KiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["tour", "fixtures"])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    if arguments.what == "tour":
        write(arguments.out, recording(arguments.data, TOUR, TOUR_SECONDS))
        return
    for activity in FIXTURE_ACTIVITIES:
        for subject in SUBJECTS:
            document = recording(arguments.data, [(subject, activity)], FIXTURE_SECONDS)
            write(arguments.out / f"{activity}-{subject}.json", document)


if __name__ == "__main__":
    main()
