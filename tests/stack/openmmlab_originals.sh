#!/usr/bin/env bash
# Does mmscpnet run on the original OpenMMLab packages?
#
#   tests/stack/openmmlab_originals.sh [FOLDER]
#
# Makes a virtual environment in FOLDER (default: a temporary one, removed at the
# end), installs the extra [openmmlab], which is the original mmengine, mmcv-lite and
# mmpretrain with setuptools<81, and imports, builds and trains two steps there
# (two_steps.py). Not part of the test suite: it installs a second torch.
set -euo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)

FOLDER=${1:-}
[ -n "$FOLDER" ] || FOLDER=$(mktemp -d)
[ -x "$FOLDER/bin/python" ] || "${PYTHON:-python3}" -m venv "$FOLDER"
PYTHON="$FOLDER/bin/python"

# A copy, so that the checkout keeps the metadata of its own installation.
SOURCE=$(mktemp -d)
trap 'rm -rf "$SOURCE"; [ "${1:-}" ] || rm -rf "$FOLDER"' EXIT
for name in setup.py LICENSE mmscpnet tools configs; do
    cp -R "$ROOT/$name" "$SOURCE/"
done
rm -rf "$SOURCE/mmscpnet/.mim"
"$PYTHON" -m pip install --quiet "$SOURCE[openmmlab]"

# What is tested is the installed package: not run from the checkout.
cd "$SOURCE/configs"
"$PYTHON" - <<'CODE'
from importlib import metadata

for name in ('mmengine', 'mmcv-lite', 'mmpretrain', 'setuptools', 'torch', 'numpy'):
    print(f'{name} {metadata.version(name)}')
CODE
"$PYTHON" -P "$ROOT/tests/stack/two_steps.py"
