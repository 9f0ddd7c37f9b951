"""Turns off the telemetry of libraries.

Some libraries report to their makers by default. They read these variables when they are imported, so importing `kb`
sets the variables first. It overrides values of the environment. Child processes inherit the variables.

What a user asks for still works: downloading a model from the hub, and sending traces to `KB_OTLP_ENDPOINT`.
"""

from __future__ import annotations

import os
import sys
import warnings

OFF_SWITCHES = {
    # ONNX Runtime since 1.29: a device id and a queue of events in ~/.cache/Microsoft, sent to Microsoft.
    "ORT_DISABLE_TELEMETRY": "1",
    # huggingface_hub, transformers: usage events, a list of programs fetched each day, details in the user agent.
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # transformers: asks a service of the hub to convert the weights of a model that was downloaded.
    "DISABLE_SAFETENSORS_CONVERSION": "1",
    # Haystack: each run of a pipeline, with a user id in ~/.haystack.
    "HAYSTACK_TELEMETRY_ENABLED": "false",
    # The general form, which huggingface_hub respects too.
    "DO_NOT_TRACK": "1",
}
"""Environment variables that turn reports off, and their values."""


def turn_off() -> None:
    """Set the variables. Warns if ONNX Runtime is loaded already with its reports on: they cannot be stopped."""
    was_off = os.environ.get("ORT_DISABLE_TELEMETRY", "").lower() in ("1", "true", "yes")
    os.environ.update(OFF_SWITCHES)
    if "onnxruntime" in sys.modules and not was_off:
        warnings.warn(
            "onnxruntime was imported before kb and reports to its maker: import kb first, or set "
            "ORT_DISABLE_TELEMETRY=1.",
            RuntimeWarning,
            stacklevel=3,
        )
