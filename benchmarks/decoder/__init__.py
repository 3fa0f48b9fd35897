"""Our decoder beside flashlight-text, pyctcdecode and fast-ctc-decode; `python -m benchmarks.decoder`."""
