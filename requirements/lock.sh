#!/usr/bin/env bash
# Compile the locks: every wheel by hash, no index address, for every platform the services run on.
# Usage: lock.sh [--upgrade]
set -euo pipefail
cd "$(dirname "$0")/.."

compile() { # OUTPUT INPUTS AND OPTIONS...
  uv pip compile --quiet --universal --python-version 3.12 --generate-hashes \
    --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' \
    ${upgrade:+--upgrade} --output-file "requirements/$1.txt" "${@:2}"
}

upgrade=${1:-}
for extra in gateway speech engine client; do
  compile "$extra" pyproject.toml --extra "$extra"
done
compile controller pyproject.toml --all-extras requirements/controller.in
compile tts requirements/tts.in
compile lab-ollama requirements/lab-ollama.in
compile models --no-deps requirements/models.in
