"""Measurements by sensor in a WeakKeyDictionary, where each refers to its sensor.

expect: leak
scope: measure
rule: L17
holder: module __main__ → MEASUREMENTS → WeakKeyDictionary → Measurement
per run: 20500
"""

import os
import weakref

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


class Sensor:
    def __init__(self, number: int) -> None:
        self.number = number


class Measurement:
    def __init__(self, sensor: Sensor) -> None:
        self.sensor = sensor
        self.samples = bytearray(20_000)  # made


MEASUREMENTS: weakref.WeakKeyDictionary[Sensor, Measurement] = weakref.WeakKeyDictionary()

for number in range(RUNS):
    with outlive.scope("measure"):
        sensor = Sensor(number)
        MEASUREMENTS[sensor] = Measurement(sensor)
